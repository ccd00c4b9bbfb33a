"""pyftpdlib with a thread for each client: PORT FOLDER USER PASSWORD"""
import logging
import sys

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer

port, folder, user, password = sys.argv[1:]
logging.basicConfig(level=logging.ERROR)
FTPHandler.authorizer = DummyAuthorizer()
FTPHandler.authorizer.add_user(user, password, folder, perm="elradfmw")
FTPHandler.timeout = 0
ThreadedFTPServer.max_cons = 0
ThreadedFTPServer(("127.0.0.1", int(port)), FTPHandler).serve_forever()
