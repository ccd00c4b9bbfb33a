//! FTP servers, all with the same plain client, so that the server is what is timed.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Contestant, Peers, Standing, does, part};
use crate::bench::daemon::Server;
use crate::bench::ground::Ground;
use crate::bench::workload::{Errand, Workload};
use crate::stress::plan::Account;

/// A thread for each client, as Ferry has it.
const PYFTPDLIB: &str = include_str!("ftp_threads.py");

#[derive(Debug)]
pub(super) struct Ftp {
    stage: PathBuf,
    program: PathBuf,
    account: Account,
    daemon: Daemon,
}

#[derive(Debug)]
enum Daemon {
    Vsftpd { pam: String },
    PureFtpd,
    Pyftpdlib,
}

impl Ftp {
    pub(super) fn vsftpd(stage: &Path, peers: &Peers) -> Result<Self, String> {
        let program = peers.programs.find("vsftpd")?;
        let daemon = Daemon::Vsftpd { pam: peers.pam.clone() };
        Ok(Self { stage: stage.into(), program, account: system_user(peers)?, daemon })
    }

    pub(super) fn pure_ftpd(stage: &Path, peers: &Peers) -> Result<Self, String> {
        let program = peers.programs.find("pure-ftpd")?;
        let (account, daemon) = (system_user(peers)?, Daemon::PureFtpd);
        Ok(Self { stage: stage.into(), program, account, daemon })
    }

    pub(super) fn pyftpdlib(stage: &Path, peers: &Peers) -> Result<Self, String> {
        let program = peers.programs.python_with("pyftpdlib")?;
        let account = Account { user: "visitor".into(), password: "123456".into() };
        Ok(Self { stage: stage.into(), program, account, daemon: Daemon::Pyftpdlib })
    }

    fn command(&self, ground: &Ground, port: u16) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        match &self.daemon {
            Daemon::Vsftpd { pam } => {
                let empty = ground.path("scratch/empty");
                fs::create_dir_all(&empty)?;
                let text = vsftpd_settings(ground, port, pam, &empty.display().to_string());
                command.arg(ground.settings("vsftpd.conf", &text)?);
            }
            Daemon::PureFtpd => {
                let places = (ground.scale().connections_max() + 64).to_string();
                // In the order of its manual: where, passwords of the system, no anonymous users,
                // no names of addresses, places, places of an address, minutes of silence, the
                // least user, no log.
                command.args(["-S", &format!("127.0.0.1,{port}"), "-l", "unix", "-E", "-H"]);
                command.args(["-c", &places, "-C", &places, "-I", "60", "-u", "1", "-f", "none"]);
            }
            Daemon::Pyftpdlib => {
                let Account { user, password } = &self.account;
                let script = ground.settings("ftp_threads.py", PYFTPDLIB)?;
                command.arg(script).arg(port.to_string()).arg(ground.served());
                command.args([user, password]);
            }
        }
        Ok(command)
    }
}

/// What vsftpd must be told. Its `seccomp` filter kills it on newer kernels.
fn vsftpd_settings(ground: &Ground, port: u16, pam: &str, empty: &str) -> String {
    let served = ground.served().display().to_string();
    let port = port.to_string();
    let settings = [
        ("listen", "YES"),
        ("background", "NO"),
        ("listen_address", "127.0.0.1"),
        ("listen_port", &port),
        ("anonymous_enable", "NO"),
        ("local_enable", "YES"),
        ("write_enable", "YES"),
        ("local_umask", "022"),
        ("local_root", &served),
        ("chroot_local_user", "YES"),
        ("allow_writeable_chroot", "YES"),
        ("pam_service_name", pam),
        ("secure_chroot_dir", empty),
        ("max_clients", "0"),
        ("max_per_ip", "0"),
        ("xferlog_enable", "NO"),
        ("delay_successful_login", "0"),
        ("idle_session_timeout", "3600"),
        ("data_connection_timeout", "3600"),
        ("seccomp_sandbox", "NO"),
    ];
    settings.iter().fold(String::new(), |text, (name, value)| text + name + "=" + value + "\n")
}

fn system_user(peers: &Peers) -> Result<Account, String> {
    let why = "it lets in users of the system only; see --peer-user";
    peers.account.clone().ok_or_else(|| why.into())
}

impl Contestant for Ftp {
    fn name(&self) -> &'static str {
        match self.daemon {
            Daemon::Vsftpd { .. } => "vsftpd",
            Daemon::PureFtpd => "pure-ftpd",
            Daemon::Pyftpdlib => "pyftpdlib",
        }
    }

    fn standing(&self) -> Standing {
        Standing::FtpPeer
    }

    fn does(&self, workload: Workload) -> bool {
        // Two processes each, as two of them have it, would be more than a system has.
        workload != Workload::Crowd
    }

    fn serve(&self, ground: &Ground) -> io::Result<Server> {
        Server::start(ground, |port| self.command(ground, port))
    }

    fn client(&self, ground: &Ground, server: SocketAddr, errand: &Errand) -> io::Result<Command> {
        let Account { user, password } = &self.account;
        let mut command = part(&self.stage, "ftp", server);
        command.args(["--user", user, "--password", password]);
        // pure-ftpd shows users the whole system, the others only what is served.
        let root = match self.daemon {
            Daemon::PureFtpd => format!("{}/", ground.served().display()),
            _ => String::new(),
        };
        does(&mut command, ground, errand, &root);
        Ok(command)
    }
}
