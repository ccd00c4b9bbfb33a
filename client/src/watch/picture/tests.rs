//! Pictures of one table.

use common::watch::{Counters, Lock, More};

use super::*;

fn thread(name: &str, state: &str, ms: u64) -> Thread {
    Thread {
        name: name.into(),
        peer: None,
        user: None,
        cmd: None,
        state: state.into(),
        on: None,
        by: None,
        since_ms: ms,
        received: 0,
        sent: 0,
    }
}

/// A class in the middle of a lesson.
fn table() -> Table {
    let client = |name: &str, user: Option<&str>, cmd: &str, state: &str, ms| Thread {
        peer: Some("192.168.1.21:50112".into()),
        user: user.map(str::to_owned),
        cmd: Some(cmd.to_owned()).filter(|cmd| !cmd.is_empty()),
        received: 47,
        sent: 139,
        ..thread(name, state, ms)
    };
    let waits = Thread {
        on: Some("/library/a.txt".into()),
        by: Some("c01".into()),
        ..client("c02", Some("wang"), "PUT a.txt", "WAIT_FILE", 2040)
    };
    let blocked = Thread {
        on: Some("data".into()),
        received: 31_200_000,
        ..client("c03", None, "PUT 大电影.iso", "WAIT_QFULL", 400)
    };
    let queue = |name: &str, len, bytes, oldest_ms| Queue {
        name: name.into(),
        len,
        cap: 256,
        bytes,
        oldest_ms,
    };
    let lock = |name: &str, taken, contended| Lock { name: name.into(), taken, contended };
    Table {
        t_ms: 0,
        model: "thread".into(),
        class: false,
        up_s: 725,
        threads: vec![
            thread("main", "ACCEPT", 4000),
            Thread { cmd: Some("c03 PUT 大电影.iso".into()), ..thread("writer", "DISK", 90) },
            client("c01", Some("li"), "PUT a.txt", "READ", 2100),
            waits,
            blocked,
            client("c04", None, "", "IDLE", 125_000),
            client("c05", None, "GET film\u{1b}[2J", "SEND", 9700),
        ],
        queues: vec![
            queue("commands", 1, Some(0), Some(3)),
            queue("data", 256, Some(1_000_000), Some(900)),
            queue("c04:room", 0, Some(0), None),
        ],
        files: vec![File {
            name: "/library/a.txt".into(),
            holder: Some("c01".into()),
            received: 10,
            size: 100,
            waiters: vec!["c02".into()],
        }],
        locks: vec![lock("registry", 812, 3), lock("roster", 96, 0)],
        counters: Counters { sessions: 5, let_in: 5, sessions_most: 5, ..Counters::default() },
        more: More::default(),
    }
}

const PLAIN: Look =
    Look { width: 100, height: None, colour: false, glyphs: Glyphs::ASCII, lang: Lang::En };

fn shown(look: Look) -> String {
    lines(&table(), "192.168.1.5:9021", look).join("\n")
}

const PROJECTED: &str = "\
ferryd 192.168.1.5:9021   model thread   up 12m   sessions 5\n\
thread  client             command           state        on / held by         for       in      out\n\
main    -                  -                 ACCEPT       -                   4.0s        -        -\n\
writer  -                  c03 PUT 大电影.~  DISK         -                   0.0s        -        -\n\
c01     192.168.1.21 li    PUT a.txt         READ         slow sender         2.1s     47 B    139 B\n\
c02     192.168.1.21 wang  PUT a.txt         WAIT_FILE    ~ary/a.txt <- c01   2.0s     47 B    139 B\n\
c03     192.168.1.21       PUT 大电影.iso    WAIT_QFULL   data 256/256        0.4s  31.2 MB    139 B\n\
c05     192.168.1.21       GET film\\u{1b}[~  SEND         slow reader         9.7s     47 B    139 B\n\
c04     192.168.1.21       -                 IDLE         -                     2m     47 B    139 B\n\
queues  commands [#.......] 1/256, oldest 0.0s\n\
\x20       data [########] 256/256, full, 1.0 MB, oldest 0.9s, 1 waiting\n\
files   /library/a.txt: c01, 10 B of 100 B <- c02\n\
locks   registry 812/3   roster 96/0\n\
so far  5 sessions, 5 at once   0 turned away   0 files in, 0 B   0 files out, 0 B   0 refusals";

#[test]
fn a_picture_fits_a_projector() {
    assert_eq!(shown(PLAIN), PROJECTED);
}

#[test]
fn class_mode_is_in_the_title_and_who_sleeps_says_where() {
    let mut class = table();
    class.class = true;
    class.threads = vec![Thread { on: Some("put.checked".into()), ..thread("c01", "SLEEP", 2100) }];
    let shown = lines(&class, "192.168.1.5:9021", PLAIN).join("\n");
    assert!(shown.contains("   model thread   CLASS   up 12m   "), "{shown}");
    assert!(shown.contains("SLEEP        put.checked   "), "{shown}");
}

#[test]
fn no_line_is_wider_than_the_terminal_and_no_picture_higher() {
    for (width, height) in [(100, 28), (80, 24), (60, 15), (40, 10), (20, 3), (3, 1)] {
        for (glyphs, lang) in [(Glyphs::ASCII, Lang::En), (Glyphs::UNICODE, Lang::Zh)] {
            let look = Look { width, height: Some(height), glyphs, lang, ..PLAIN };
            let lines = lines(&table(), "192.168.1.5:9021", look);
            let widest = lines.iter().map(|line| line.width()).max();
            assert!(widest <= Some(width.max(10)), "{widest:?} of {width}: {lines:#?}");
            assert!(lines.len() <= height);
        }
    }
}

#[test]
fn of_a_path_that_is_too_long_the_end_is_shown() {
    let mut table = table();
    table.threads[2].cmd = Some("PUT /library/monday/slides/film.mp4".into());
    table.threads[3].on = Some("/library/monday/slides/film.mp4".into());
    let shown = lines(&table, "", PLAIN).join("\n");
    assert!(shown.contains("  PUT ~es/film.mp4  ") && shown.contains("film.mp4 <- c01"), "{shown}");
}

#[test]
fn who_is_idle_gives_way_to_who_is_not() {
    let shown = shown(Look { height: Some(13), ..PLAIN });
    assert!(shown.contains("and 2 more") && !shown.contains("c04"), "{shown}");
}

#[test]
fn who_only_hears_the_room_gives_way_to_who_sleeps() {
    let mut table = table();
    let hears = |n: u64| Thread {
        on: Some("outbox".into()),
        ..thread(&format!("c{n:02}:room"), "WAIT_QEMPTY", 9)
    };
    table.threads = (1..60).map(hears).collect();
    table.threads.push(Thread { on: Some("put.checked".into()), ..thread("c68", "SLEEP", 9) });
    let shown = lines(&table, "", PLAIN).join("\n");
    assert!(shown.contains("c68 ") && shown.contains("SLEEP"), "{shown}");
}

#[test]
fn a_state_has_a_colour_besides_its_name_and_no_name_acts_on_the_terminal() {
    let plain = shown(PLAIN);
    assert!(!plain.contains('\u{1b}') && plain.contains(r"GET film\u{1b}["), "{plain}");
    let coloured = shown(Look { colour: true, ..PLAIN });
    assert!(coloured.contains("\u{1b}[31mWAIT_FILE\u{1b}[0m"), "{coloured}");
    let mut bare = coloured;
    for code in ["0", "1", "2", "4", "31", "33", "34", "35", "36"] {
        bare = bare.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(bare, plain);
}

#[test]
fn bars_and_arrows_are_what_the_terminal_can_show() {
    let of = |lang: &str| Glyphs::of_locale(|name| (name == "LANG").then(|| lang.to_owned()));
    for (locale, glyphs) in [
        ("zh_CN.UTF-8", Glyphs::UNICODE),
        ("en_US.utf8", Glyphs::UNICODE),
        ("C", Glyphs::ASCII),
        ("zh_CN.GBK", Glyphs::ASCII),
        ("", Glyphs::ASCII),
    ] {
        assert_eq!(of(locale), glyphs, "{locale}");
    }
    let shown = shown(Look { glyphs: Glyphs::UNICODE, lang: Lang::Zh, ..PLAIN });
    assert!(shown.contains("data [████████] 256/256, 已满"), "{shown}");
    assert!(shown.contains("← c02"), "{shown}");
}
