//! The room's rules, tried without sockets: what comes out of each outbox.

use common::protocol::Reason;
use serde_json::Value;

use super::*;
use crate::store::{Durability, Tenancy};

/// A store of its own, and what keeps it there.
fn store() -> (tempfile::TempDir, Store) {
    let data = tempfile::tempdir().unwrap();
    let store = Store::open(data.path(), None, Durability::None, Tenancy::Sole).unwrap();
    (data, store)
}

fn saying(text: &str) -> Saying {
    Saying::parse(text).unwrap()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// Everything that waits in an outbox: at least one event.
fn heard(outbox: &mut Outbox) -> Vec<Value> {
    let mut lines = Vec::new();
    outbox.take(&mut lines);
    lines.split(|byte| *byte == b'\n').filter_map(|l| serde_json::from_slice(l).ok()).collect()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().filter_map(|event| event["event"].as_str()).collect()
}

#[test]
fn the_administrator_is_heard_by_everybody_and_remembered() {
    let (_data, store) = store();
    let room = Room::new(&store);
    let (mut listener, mut member, mut late) =
        (Presence::new(&room, 1), Presence::new(&room, 2), Presence::new(&room, 3));
    let mut listening = listener.listen(false).unwrap();
    let (_, mut inside) = member.join(Person::user("anna")).unwrap();
    room.announce(&saying("five minutes left"));
    let (_, mut behind) = late.join(Person::user("bob")).unwrap();
    let said = heard(&mut listening);
    assert_eq!(
        (kinds(&said), said[0]["text"].as_str()),
        (vec!["admin"], Some("five minutes left"))
    );
    assert_eq!(kinds(&heard(&mut inside)), ["admin", "enter"]);
    assert_eq!(kinds(&heard(&mut behind)), ["enter", "admin"]);
}

#[test]
fn members_are_the_sessions_in_the_room_and_not_who_listens() {
    let (_data, store) = store();
    let room = Room::new(&store);
    let (mut listener, mut member) = (Presence::new(&room, 1), Presence::new(&room, 2));
    assert!(room.is_deserted());
    let _listening = listener.listen(true).unwrap();
    let name = RoomName::parse("张三").unwrap();
    let _inside = member.join(Person::guest(&name)).unwrap();
    let present = Present { name: "张三".into(), guest: true, session: 2 };
    assert_eq!(room.members(), [present]);
    drop((listener, member));
    assert!(room.is_deserted() && room.members().is_empty());
}

#[test]
fn who_listened_and_comes_in_has_another_outbox_and_the_first_runs_dry() {
    let (_data, store) = store();
    let room = Room::new(&store);
    let mut one = Presence::new(&room, 1);
    let mut listening = one.listen(false).unwrap();
    room.announce(&saying("before"));
    let (joined, mut inside) = one.join(Person::user("anna")).unwrap();
    assert_eq!(joined.members, 1);
    assert_eq!(kinds(&heard(&mut listening)), ["admin"]);
    assert!(!listening.take(&mut Vec::new()));
    assert_eq!(kinds(&heard(&mut inside)), ["admin"]);
    assert!(one.leave() && !one.leave() && !one.hears());
    assert!(!inside.take(&mut Vec::new()));
}

#[test]
fn a_user_who_comes_is_not_a_guest_of_that_name_and_is_the_one_a_private_line_is_for() {
    let (_data, store) = store();
    let room = Room::new(&store);
    let [mut guest, mut user, mut other] = [1, 2, 3].map(|session| Presence::new(&room, session));
    let (_, mut guest_hears) =
        guest.join(Person::guest(&RoomName::parse("Anna").unwrap())).unwrap();
    let (joined, mut user_hears) = user.join(Person::user("anna")).unwrap();
    assert_eq!(joined.members, 2);
    let (_, _other_hears) = other.join(Person::user("bob")).unwrap();
    other.say(&saying("psst"), Some("ANNA")).unwrap();
    room.announce(&saying("end"));
    assert_eq!(kinds(&heard(&mut guest_hears)), ["enter", "enter", "admin"]);
    assert_eq!(kinds(&heard(&mut user_hears)), ["enter", "enter", "say", "admin"]);
}

#[test]
fn who_takes_nothing_is_no_member_any_more_and_hears_so_if_it_takes_something_after_all() {
    let (_data, store) = store();
    let room = Room::new(&store);
    let [mut deaf, mut speaker, mut honest] =
        [1, 2, 3].map(|session| Presence::new(&room, session));
    let (_, mut unheard) = deaf.join(Person::user("deaf")).unwrap();
    let (_, mut outbox) = speaker.join(Person::user("speaker")).unwrap();
    let (_, mut hears) = honest.join(Person::user("honest")).unwrap();
    let mut lines = 0;
    while !deaf.was_given_up() {
        speaker.say(&saying("hello"), None).unwrap();
        heard(&mut hears);
        lines += 1;
        assert!(lines < 1000);
    }
    assert_eq!(kinds(&heard(&mut outbox)).last(), Some(&"leave"));
    assert_eq!(deaf.say(&saying("hello"), None).unwrap_err().reason, Reason::Denied);
    let (mut all, mut lines) = (Vec::new(), Vec::new());
    while unheard.take(&mut lines) {
        all.append(&mut lines);
    }
    let all = String::from_utf8(all).unwrap();
    assert!(all.ends_with("{\"event\":\"missed\",\"lines\":256}\n"), "{all}");
    assert_eq!(room.members().len(), 2);
}

#[test]
fn a_vote_is_told_to_all_and_each_round_is_kept() {
    let (data, store) = store();
    let room = Room::new(&store);
    let mut listener = Presence::new(&room, 1);
    let mut listening = listener.listen(false).unwrap();
    let anna = || Voter::User("anna".into());
    assert_eq!(room.vote(anna(), "yes").unwrap_err().reason, Reason::NotFound);
    assert_eq!(room.ask_again().unwrap_err().reason, Reason::NotFound);
    assert_eq!(room.close_vote().unwrap_err().reason, Reason::NotFound);
    room.ask("both?", &words(&["yes", "no"])).unwrap();
    assert_eq!(room.vote(anna(), "yes").unwrap().0.choices[0].votes, 1);
    room.vote(anna(), "yes").unwrap();
    let Asked { ended, begun } = room.ask_again().unwrap();
    assert_eq!((ended.map(|ended| ended.choices[0].votes), begun.round), (Some(1), 2));
    room.vote(anna(), "no").unwrap();
    assert!(!room.close_vote().unwrap().open);
    assert!(room.close_vote().is_err() && room.open_vote().is_err());
    assert_eq!(room.tally().unwrap().choices[1].votes, 1);
    // Asked, voted, first round over, asked again, voted, over: to vote the same is no news.
    let events = heard(&mut listening);
    let told = |event: &Value| (event["round"].as_u64(), event["open"].as_bool());
    let told: Vec<_> = events.iter().map(told).collect();
    let round = |round, open| (Some(round), Some(open));
    let expected = [
        round(1, true),
        round(1, true),
        round(1, false),
        round(2, true),
        round(2, true),
        round(2, false),
    ];
    assert_eq!(told, expected);
    let kept = std::fs::read_to_string(data.path().join("votes.csv")).unwrap();
    let kept: Vec<&str> = kept.lines().map(|row| row.split_once(',').unwrap().1).collect();
    let rows = ["both?,1,yes,1", "both?,1,no,0", "both?,2,yes,0", "both?,2,no,1"];
    assert_eq!(kept, [&["question,round,choice,votes"][..], &rows].concat());
}

#[test]
fn who_comes_when_a_vote_is_open_hears_how_it_stands() {
    let (_data, store) = store();
    let room = Room::new(&store);
    room.ask("both?", &words(&["yes", "no"])).unwrap();
    let (mut one, mut two) = (Presence::new(&room, 1), Presence::new(&room, 2));
    assert_eq!(kinds(&heard(&mut one.listen(false).unwrap())), ["vote"]);
    assert_eq!(kinds(&heard(&mut two.join(Person::user("anna")).unwrap().1)), ["vote"]);
}
