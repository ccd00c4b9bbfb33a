//! The plainest FTP client (RFC 959) that is fast: one control connection, a passive data connection
//! for each file, `sendfile` up, full buffers down. What is timed with it is the server.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};

use common::escape::Safe;

use super::{Whom, base, connect, fill, send_file};

/// Filled before it is written.
const BLOCK_BYTES: usize = 256 * 1024;
/// A small file's block: it comes in one piece.
const VISIT_BYTES: usize = 64 * 1024;
/// No reply is longer than this, or has more lines than that.
const LINE_BYTES_MAX: u64 = 1024;
const LINES_MAX: usize = 100;

/// A control connection.
pub(super) struct Control(BufReader<TcpStream>);

/// Logs in, to send and fetch bytes as they are.
pub(super) fn come(whom: &Whom) -> io::Result<Control> {
    let stream = connect(whom.server)?;
    let mut control = Control(BufReader::with_capacity(4096, stream));
    control.expect(2, "greeting")?;
    let (user, password) = (whom.user.as_deref(), whom.password.as_deref());
    if control.command("USER", user.unwrap_or("anonymous"))?.0 / 100 == 3 {
        let (code, text) = control.command("PASS", password.unwrap_or("bench"))?;
        check(code, &text, 2, "PASS")?;
    }
    control.ask("TYPE", "I", 2)?;
    Ok(control)
}

pub(super) fn get(whom: &Whom, names: &[String], to: &Path) -> io::Result<()> {
    let (mut control, mut block) = (come(whom)?, vec![0; BLOCK_BYTES]);
    for name in names {
        control.fetch(name, &mut block, &mut File::create(to.join(base(name)))?)?;
    }
    control.quit()
}

pub(super) fn put(whom: &Whom, files: &[PathBuf], to: &str) -> io::Result<()> {
    let mut control = come(whom)?;
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        control.send(&File::open(path)?, &format!("{to}/{name}"))?;
    }
    control.quit()
}

/// Comes, fetches one file, and goes.
pub(super) fn visit(whom: &Whom, name: &str) -> io::Result<()> {
    let mut control = come(whom)?;
    control.fetch(name, &mut vec![0; VISIT_BYTES], &mut io::sink())?;
    control.quit()
}

impl Control {
    fn fetch(&mut self, name: &str, block: &mut [u8], to: &mut impl io::Write) -> io::Result<()> {
        let data = self.passive()?;
        self.ask("RETR", name, 1)?;
        loop {
            let filled = fill(&data, block)?;
            to.write_all(&block[..filled])?;
            if filled < block.len() {
                break;
            }
        }
        // Some servers say that they are done only when this side has closed, too, and until then
        // wait for a delayed acknowledgement: 40 ms that nobody's work takes.
        drop(data);
        self.expect(2, "RETR")
    }

    fn send(&mut self, file: &File, name: &str) -> io::Result<()> {
        let data = self.passive()?;
        self.ask("STOR", name, 1)?;
        send_file(file, &data, file.metadata()?.len())?;
        drop(data);
        self.expect(2, "STOR")
    }

    fn quit(mut self) -> io::Result<()> {
        self.ask("QUIT", "", 2).map(drop)
    }

    /// Opens a data connection. Of the address only the port counts: the machine is this one.
    fn passive(&mut self) -> io::Result<TcpStream> {
        let text = self.ask("PASV", "", 2)?;
        let numbers = text.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        let numbers: Option<Vec<u8>> =
            numbers.and_then(|(list, _)| list.split(',').map(|n| n.trim().parse().ok()).collect());
        match numbers.as_deref() {
            Some([_, _, _, _, high, low]) => {
                let port = u16::from_be_bytes([*high, *low]);
                connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
            }
            _ => Err(io::Error::other(format!("no address in `{}`", Safe(text.trim())))),
        }
    }

    /// Sends a command and reads its reply; an error unless its code begins with `kind`.
    fn ask(&mut self, verb: &str, argument: &str, kind: u16) -> io::Result<String> {
        let (code, text) = self.command(verb, argument)?;
        check(code, &text, kind, verb)?;
        Ok(text)
    }

    fn command(&mut self, verb: &str, argument: &str) -> io::Result<(u16, String)> {
        let space = if argument.is_empty() { "" } else { " " };
        self.0.get_mut().write_all(format!("{verb}{space}{argument}\r\n").as_bytes())?;
        self.reply()
    }

    fn expect(&mut self, kind: u16, what: &str) -> io::Result<()> {
        let (code, text) = self.reply()?;
        check(code, &text, kind, what)
    }

    /// A reply's code and last line. It may have several lines: all but the last one have a `-`
    /// behind the code, or no code.
    fn reply(&mut self) -> io::Result<(u16, String)> {
        for _ in 0..LINES_MAX {
            let mut line = String::new();
            if self.0.by_ref().take(LINE_BYTES_MAX).read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let code = line.get(..3).and_then(|code| code.parse().ok());
            if let (Some(code), Some(b' ')) = (code, line.as_bytes().get(3)) {
                return Ok((code, line));
            }
        }
        Err(io::Error::other("a reply without end"))
    }
}

fn check(code: u16, text: &str, kind: u16, what: &str) -> io::Result<()> {
    if code / 100 == kind {
        return Ok(());
    }
    Err(io::Error::other(format!("{what}: {}", Safe(text.trim()))))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server for one client who knows one file. What it was sent, and by which commands.
    fn serve(listener: &TcpListener, file: &[u8]) -> io::Result<(Vec<u8>, Vec<String>)> {
        let mut lines = BufReader::new(listener.accept()?.0);
        let data = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let [high, low] = data.local_addr()?.port().to_be_bytes();
        let (mut sent, mut heard) = (Vec::new(), Vec::new());
        let mut reply = "220-Welcome.\r\n Be careful.\r\n220 Ready.\r\n".to_owned();
        loop {
            lines.get_mut().write_all(reply.as_bytes())?;
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 {
                return Ok((sent, heard));
            }
            reply = match line.trim_end().split(' ').next().unwrap_or_default() {
                "USER" => "331 Password?\r\n".into(),
                "PASV" => format!("227 Here (10,0,0,1,{high},{low}).\r\n"),
                "STOR" => {
                    lines.get_mut().write_all(b"150 Send.\r\n")?;
                    data.accept()?.0.read_to_end(&mut sent)?;
                    "226 Done.\r\n".into()
                }
                "RETR" => {
                    lines.get_mut().write_all(b"150 Take.\r\n")?;
                    data.accept()?.0.write_all(file)?;
                    "226 Done.\r\n".into()
                }
                _ => "200 Good.\r\n".into(),
            };
            heard.push(line.trim_end().to_owned());
        }
    }

    #[test]
    fn files_go_and_come_whole_and_replies_may_have_several_lines() {
        let folder = tempfile::tempdir().unwrap();
        let bytes = crate::content::bytes(1, 2 * BLOCK_BYTES + 5);
        let up = folder.path().join("film");
        std::fs::write(&up, &bytes).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let whom = Whom {
            server: listener.local_addr().unwrap(),
            user: Some("xiaoyu".into()),
            password: Some("123456".into()),
        };
        let file = bytes.clone();
        let server = thread::spawn(move || {
            let put = serve(&listener, &[]).unwrap();
            (put, serve(&listener, &file).unwrap())
        });
        put(&whom, std::slice::from_ref(&up), "up").unwrap();
        std::fs::remove_file(&up).unwrap();
        get(&whom, &["small/film".into()], folder.path()).unwrap();
        let ((sent, put), (_, got)) = server.join().unwrap();
        assert!(sent == bytes && std::fs::read(&up).unwrap() == bytes);
        let login = ["USER xiaoyu", "PASS 123456", "TYPE I", "PASV"];
        assert_eq!(put, [&login[..], &["STOR up/film", "QUIT"]].concat());
        assert_eq!(got, [&login[..], &["RETR small/film", "QUIT"]].concat());
    }

    #[test]
    fn a_refusal_is_told_in_the_servers_words() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let server = listener.local_addr().unwrap();
        let refusing = thread::spawn(move || {
            listener.accept().unwrap().0.write_all(b"421 Too many of you.\r\n").unwrap();
        });
        let refused = come(&Whom { server, user: None, password: None });
        let said = refused.err().map(|error| error.to_string());
        assert_eq!(said.as_deref(), Some("greeting: 421 Too many of you."));
        refusing.join().unwrap();
    }
}
