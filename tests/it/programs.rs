//! The real programs in processes of their own: what they print, how they end, and what is left
//! when they are killed.

use std::fs;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use client::client::{Client, PutOptions};
use harness::actor::{self, Ferryd};
use harness::{Peer, content, eventually};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::strace;

/// The program that plays every part.
fn stage() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_demo"))
}

fn ferryd(data: &TempDir) -> Ferryd {
    Ferryd::start(stage(), data.path(), &[]).unwrap()
}

fn temporary() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Runs `ferry` in `home` to its end.
fn ferry(server: &Ferryd, home: &TempDir, words: &[&str]) -> (i32, String, String) {
    let mut command = actor::ferry(stage(), server.address, words);
    ended(command.current_dir(home.path()).stdin(Stdio::null()).output().unwrap())
}

fn ended(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn listed(server: &Ferryd) -> Vec<String> {
    let mut client = Client::connect(&server.address.to_string()).unwrap();
    client.list(None).unwrap().into_iter().map(|entry| entry.name).collect()
}

fn parts(data: &TempDir) -> usize {
    fs::read_dir(data.path().join("library/.ferry")).unwrap().count()
}

#[test]
fn every_way_to_end_has_its_exit_status_and_says_what_to_do() {
    let (data, home) = (temporary(), temporary());
    let server = ferryd(&data);
    fs::write(home.path().join("ip.txt"), "127.0.0.1").unwrap();

    assert_eq!(ferry(&server, &home, &["put", "ip.txt"]).0, 0);
    fs::write(home.path().join("ip.txt"), "changed").unwrap();
    let (status, _, said) = ferry(&server, &home, &["put", "ip.txt"]);
    assert!(status == 5 && said.contains("--as NAME"), "{status} {said}");
    assert_eq!(fs::read(data.path().join("library/ip.txt")).unwrap(), b"127.0.0.1");

    let (status, _, said) = ferry(&server, &home, &["get", "ip.txt"]);
    assert!(status == 5 && said.contains("--force"), "{status} {said}");
    assert_eq!(fs::read(home.path().join("ip.txt")).unwrap(), b"changed");
    let (status, _, said) = ferry(&server, &home, &["get", "missing"]);
    assert!(status == 6 && said.contains("missing"), "{status} {said}");
    let (status, _, said) = ferry(&server, &home, &["rm", "ip.txt"]);
    assert!(status == 1 && said.contains("administrator"), "{status} {said}");
    assert_eq!(ferry(&server, &home, &["--no-such-option"]).0, 2);
    assert_eq!(ferry(&server, &home, &["no-such-command"]).0, 2);
    // Only the one file came here, and nothing half-named stayed.
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);

    let address = server.address;
    assert!(server.stop().unwrap().success());
    let gone = actor::ferry(stage(), address, ["list"]).output().unwrap();
    let (status, _, said) = ended(gone);
    assert!(status == 3 && said.contains("--server"), "{status} {said}");
}

#[test]
fn a_data_folder_in_use_or_a_port_in_use_is_said_in_words() {
    let (data, other) = (temporary(), temporary());
    let server = ferryd(&data);
    let run = |folder: &TempDir, listen: &str| {
        let mut command = Command::new(stage());
        command.args(["ferryd", "--listen", listen, "--data"]).arg(folder.path());
        ended(command.output().unwrap())
    };
    let (status, _, said) = run(&data, "127.0.0.1:0");
    assert!(status == 1 && said.contains("in use by another ferryd"), "{status} {said}");
    let (status, _, said) = run(&other, &server.address.to_string());
    assert!(status == 1 && said.contains("--listen"), "{status} {said}");
}

#[test]
fn sigterm_ends_a_server_with_0_and_a_second_signal_ends_it_at_once() {
    let data = temporary();
    assert!(ferryd(&data).stop().unwrap().success());

    let mut server = Ferryd::start(stage(), data.path(), &["--grace", "3600"]).unwrap();
    let mut stuck = Peer::connect(server.address);
    assert_eq!(stuck.ask(r#"{"cmd":"PUT","path":"a","size":9}"#)["status"], "OK");
    server.signal(Signal::INT).unwrap();
    // It has stopped listening, so the first signal has been seen; the upload holds it up.
    eventually("the port is closed", || std::net::TcpStream::connect(server.address).is_err());
    server.signal(Signal::INT).unwrap();
    let status = server.wait().unwrap();
    assert!(status.code() == Some(1) && status.signal().is_none(), "{status}");
}

#[test]
fn a_server_whose_output_nobody_takes_serves_on() {
    let data = temporary();
    let full = || fs::File::options().write(true).open("/dev/full").unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = Command::new(stage())
        .args(["ferryd", "--listen", &port.to_string(), "--data"])
        .arg(data.path())
        .stdout(full())
        .stderr(full())
        .spawn()
        .unwrap();
    eventually("it serves", || Client::connect(&port.to_string()).is_ok());
    let mut client = Client::connect(&port.to_string()).unwrap();
    assert!(client.list(None).unwrap().is_empty());
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_log_that_nobody_reads_stops_neither_the_service_nor_the_stop() {
    let data = temporary();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut server = Command::new(stage())
        .args(["ferryd", "--listen", &port.to_string(), "--data"])
        .arg(data.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("it serves", || std::net::TcpStream::connect(port).is_ok());
    let mut peer = Peer::connect(port);
    let long = "x".repeat(60_000);
    for _ in 0..50 {
        let answer = peer.ask(format!("{{\"cmd\":\"STAT\",\"path\":\"{long}\"}}"));
        assert_eq!(answer["reason"], "bad-name");
    }
    let pid = Pid::from_raw(i32::try_from(server.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    eventually("it has stopped", || server.try_wait().unwrap().is_some());
    assert!(server.wait().unwrap().success());
}

/// The server here is a few lines that send a part of a file and then nothing, so that Ctrl-C comes
/// in the middle for certain.
#[test]
fn ctrl_c_in_a_download_ends_with_130_and_no_half_file_has_a_name() {
    let home = temporary();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = actor::ferry(stage(), listener.local_addr().unwrap(), ["get", "film"]);
    let client = command.current_dir(home.path()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    let mut say = |text: &str| stream.write_all(text.as_bytes()).unwrap();
    say("{\"status\":\"OK\",\"server\":\"a test\",\"protocol\":1,\"session\":1}\n");
    say("{\"status\":\"OK\",\"size\":3000000,\"mtime\":0,\"crc32\":\"00000000\"}\nhalf");
    eventually("a part is there", || fs::read_dir(home.path()).unwrap().count() > 0);
    let pid = Pid::from_raw(i32::try_from(client.id()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let (status, _, said) = ended(client.wait_with_output().unwrap());
    assert!(status == 130 && said.contains("interrupted"), "{status} {said}");
    assert!(!home.path().join("film").exists());
}

#[test]
fn clients_killed_at_random_leave_no_thread_and_nothing_but_what_goes_on() {
    const ROUNDS: u64 = 25;
    let (data, home) = (temporary(), temporary());
    let server = ferryd(&data);
    let film = content::bytes(1, 2_000_000);
    for n in 0..4 {
        fs::write(home.path().join(format!("film{n}")), &film).unwrap();
    }
    // Counted while one session is known to be there: others may end a little after their client.
    let first = Client::connect(&server.address.to_string()).unwrap();
    let at_rest = server.threads().unwrap() - 1;
    drop(first);
    assert_eq!(ferry(&server, &home, &["put", "film0"]).0, 0);
    for round in 0..ROUNDS {
        let folder = format!("round{round}");
        assert_eq!(ferry(&server, &home, &["mkdir", &folder]).0, 0);
        fs::create_dir(home.path().join(&folder)).unwrap();
        let start = |words: &[&str]| {
            let mut command = actor::ferry(stage(), server.address, words);
            command.current_dir(home.path()).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let clients = (0..4).flat_map(|n| {
            let put = start(&["put", &format!("film{n}"), "--to", &folder]);
            [put, start(&["get", "film0", "--force", "--to", &folder])]
        });
        let mut clients: Vec<_> = clients.collect();
        // Not a wait for anything: a different moment in each round.
        thread::sleep(Duration::from_millis(round * 7 % 23));
        for client in &mut clients {
            client.kill().unwrap();
            client.wait().unwrap();
        }
    }
    eventually("all threads have ended", || server.threads().unwrap() == at_rest);
    // What was cut is kept for whoever puts the same again, and for nobody else.
    for round in 0..ROUNDS {
        let folder = format!("round{round}");
        for n in 0..4 {
            let again = ferry(&server, &home, &["put", &format!("film{n}"), "--to", &folder]).0;
            assert!([0, 5].contains(&again), "put again: {again}");
        }
    }
    assert_eq!(parts(&data), 0);
    for path in listed(&server).iter().filter(|name| name.starts_with("round")) {
        let mut client = Client::connect(&server.address.to_string()).unwrap();
        let whole = |entry: &common::protocol::Entry| entry.stat.size == film.len() as u64;
        assert!(client.list(Some(path)).unwrap().iter().all(whole), "a partial in {path}");
    }
}

/// The order that makes OK true, as the kernel saw it.
#[test]
fn fsync_rename_fsync_and_only_then_ok() {
    if strace::is_missing("the order of system calls") {
        return;
    }
    let (data, home) = (temporary(), temporary());
    let server = ferryd(&data);
    let trace = home.path().join("trace");
    let mut strace = Command::new("strace")
        .args(["-f", "-y", "-e", "trace=fsync,renameat2,write,sendto", "-o"])
        .arg(&trace)
        .args(["-p", &server.id().to_string()])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let traced = |thread: &Path| {
        let status = fs::read_to_string(thread.join("status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
    };
    eventually("every thread is traced", || {
        let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
        tasks.flatten().all(|task| traced(&task.path()))
    });
    let mut client = Client::connect(&server.address.to_string()).unwrap();
    client.put("a", 9, &mut &b"127.0.0.1"[..], PutOptions::default()).unwrap();
    assert!(server.stop().unwrap().success());
    strace.wait().unwrap();

    let calls = fs::read_to_string(trace).unwrap();
    let position = |what: &[&str]| {
        let found = calls.lines().position(|call| what.iter().all(|word| call.contains(word)));
        found.unwrap_or_else(|| panic!("no {what:?} in\n{calls}"))
    };
    let order = [
        position(&["write(", ".part>", "127.0.0.1"]),
        position(&["fsync(", ".part>"]),
        position(&["renameat2(", ".part", "RENAME_NOREPLACE"]),
        position(&["fsync(", "/library>"]),
        // The last OK: the first one, to begin sending, carries an offset.
        position(&[r#""{\"status\":\"OK\"}\n"#]),
    ];
    assert!(order.is_sorted(), "{order:?} in\n{calls}");
}
