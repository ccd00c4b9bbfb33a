//! The table of commands, read as people write it.

use std::any::TypeId;

use clap::CommandFactory as _;

use super::*;

fn both(words: &[&str]) -> (Option<Command>, Option<Command>) {
    let typed = Line::try_parse_from(words).ok().map(|line| line.command);
    let shell = ["ferry"].iter().chain(words);
    let given = Invocation::read(shell.map(Into::into)).ok().and_then(|given| given.task);
    let given = given.and_then(|task| match task {
        Task::Command(command) => Some(command),
        Task::Reference(_) => None,
    });
    (typed, given)
}

#[test]
fn the_table_is_sound() {
    Invocation::command().debug_assert();
    Line::command().debug_assert();
}

#[test]
fn a_line_means_the_same_at_the_prompt_and_in_the_shell() {
    for line in [
        "list",
        "ls /a",
        "dir",
        "get a b --to c --force",
        "get a --no-resume",
        "get -r a b --to c",
        "get 3 --as b",
        "put a --to b --wait 3",
        "put -r a --as b",
        "put a --no-resume",
        "stat a b",
        "sum a",
        "mkdir a",
        "rm a",
        "rm -r a b",
        "mv a b",
        "list -r a",
        "list -l",
        "cd",
        "cd ..",
        "pwd",
        "lcd /",
        "lpwd",
        "lls a",
        "register xiaoyu",
        "login xiaoyu",
        "passwd --new-password-file a",
        "who",
        "watch",
        "watch --once",
        "watch --every 0.5",
        "chat",
        "chat 张三",
        "chat off",
        "say hello you --as 张三",
        "vote",
        "vote yes",
        "notices on",
        "notices",
        "admin kick -x c07",
        "quit",
        "bye",
        "exit",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let (typed, given) = both(&words);
        assert!(typed.is_some(), "{line}");
        assert_eq!(typed, given, "{line}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_both() {
    for line in [
        "",
        "nonsense",
        "get",
        "mv a",
        "put a --wait 3601",
        "put a --wait -1",
        "ls a b",
        "get a --as b/c",
        "chat ferryd",
        "say",
        "notices maybe",
    ] {
        let words: Vec<&str> = line.split_terminator(' ').collect();
        assert_eq!(both(&words), (None, None), "{line}");
    }
}

#[test]
fn a_tilde_is_home_in_a_line_wherever_a_path_here_stands() {
    let home = std::env::home_dir().unwrap();
    let read = |line: &str| Line::read(line.split(' ').map(str::to_owned).collect()).unwrap();
    for line in ["put a ~/b", "get a --to ~", "lcd ~", "lls ~/b", "passwd --new-password-file ~/b"]
    {
        let mut command = read(line).command;
        assert!(command.local_paths().last().unwrap().starts_with(&home), "{line}");
    }
    // There it is a name, and the shell has seen to the others.
    let Command::Get(get) = read("get ~/a").command else { panic!("it is no get") };
    assert_eq!(get.paths, ["~/a"]);
    let Some(Command::Lcd { dir }) = both(&["lcd", "~"]).1 else { panic!("it is no lcd") };
    assert_eq!(dir, Some("~".into()));
}

#[test]
fn the_help_of_the_prompt_does_not_scroll_off_a_usual_terminal() {
    let help = Line::table().term_width(80).render_long_help().to_string();
    // Above it stands the line that asked for it, below it the next prompt.
    assert!(help.lines().count() <= 22, "{help}");
    let short = Invocation::command().term_width(80).render_help().to_string();
    let (_, list) = short.split_once("Commands:\n").unwrap();
    let list: Vec<&str> = list.lines().take_while(|line| !line.is_empty()).collect();
    assert!(list.iter().all(|line| line.starts_with("  ") && !line.starts_with("   ")), "{short}");
}

#[test]
fn every_command_has_its_verb_and_an_example() {
    for command in Line::command().get_subcommands() {
        let name = command.get_name();
        let (typed, _) = both(&[name, "a", "b"]);
        let typed = typed.or(both(&[name, "a"]).0).or(both(&[name]).0);
        assert_eq!(typed.map(|command| command.verb()), Some(name));
        let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let shown = examples.matches(&format!("\n  {name}")).count();
        let due = if command.get_arguments().next().is_some() { 2 } else { 1 };
        assert!(name == "quit" || shown >= due, "{name}");
    }
}

#[test]
fn the_prompt_knows_where_every_path_is() {
    let mut table = Line::command();
    table.build();
    for command in table.get_subcommands().filter(|command| command.get_name() != "help") {
        for arg in command.get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let is_text = [TypeId::of::<String>(), TypeId::of::<PathBuf>()]
                .iter()
                .any(|text| arg.get_value_parser().type_id() == *text);
            let hint = arg.get_value_hint();
            assert!(!is_text || hint != ValueHint::Unknown, "{} {arg}", command.get_name());
        }
    }
}

#[test]
fn the_name_of_a_server_stands_where_a_command_would() {
    let take = |line: &str| {
        let mut words: Vec<_> = line.split(' ').map(Into::into).collect();
        let name = Invocation::take_name(&mut words);
        (name, words.join(" ".as_ref()).into_string().unwrap())
    };
    for (line, rest) in [
        ("ferry @a", "ferry"),
        ("ferry @a get @b", "ferry get @b"),
        ("ferry --user x @a --json -c who", "ferry --user x --json -c who"),
        ("ferry @a --help", "ferry --help"),
    ] {
        assert_eq!(take(line), (Some("a".to_owned()), rest.to_owned()));
    }
    for line in ["ferry get @a", "ferry -c @a", "ferry --password-file @a who", "ferry nonsense"] {
        assert_eq!(take(line), (None, line.to_owned()));
    }
}
