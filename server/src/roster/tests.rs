//! Who is let in, and that nothing is counted twice.

use std::net::{IpAddr, TcpListener};

use super::*;

/// A roster, and a way to come in from an address.
struct Door {
    roster: Roster,
    stream: Arc<TcpStream>,
}

impl Door {
    fn new(places: usize, per_address: Option<usize>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = Arc::new(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
        Self { roster: Roster::new(Capacity { places, per_address }), stream }
    }

    fn enter(&self, id: u64, from: &str) -> Result<Slot<'_>, Full> {
        let from: IpAddr = from.parse().unwrap();
        self.roster.enter(id, (from, 9).into(), Arc::clone(&self.stream))
    }

    /// How many get in, of a hundred from this address.
    fn take(&self, from: &str, first_id: u64) -> (Vec<Slot<'_>>, Option<Full>) {
        let mut slots = Vec::new();
        for id in first_id..first_id + 100 {
            match self.enter(id, from) {
                Ok(slot) => slots.push(slot),
                Err(full) => return (slots, Some(full)),
            }
        }
        (slots, None)
    }
}

#[test]
fn another_machine_has_half_of_all_places_and_this_one_has_all() {
    let door = Door::new(40, None);
    let (first, full) = door.take("192.0.2.1", 0);
    assert_eq!((first.len(), full), (20, Some(Full::Address(20))));
    let (second, full) = door.take("192.0.2.2", 100);
    assert_eq!((second.len(), full), (18, Some(Full::Kept)));
    let (here, full) = door.take("127.0.0.1", 200);
    assert_eq!((here.len(), full), (2, Some(Full::Places)));
    drop((first, second, here));
    assert_eq!(door.take("::1", 0).0.len(), 40);
    assert!(door.roster.lock().from.is_empty());
}

#[test]
fn the_places_kept_for_this_machine_are_two_or_fewer_of_few() {
    for (places, kept) in [(1, 0), (9, 0), (10, 1), (19, 1), (20, 2), (1000, 2)] {
        assert_eq!(Capacity { places, per_address: None }.kept(), kept, "{places}");
    }
}

#[test]
fn a_cap_that_was_asked_for_holds_for_every_address() {
    let door = Door::new(50, Some(3));
    for (n, from) in ["192.0.2.1", "127.0.0.1", "127.0.0.2", "::1"].into_iter().enumerate() {
        let (slots, full) = door.take(from, 0);
        assert_eq!((slots.len(), full), (3, Some(Full::Address(3))), "{n} {from}");
    }
}

#[test]
fn the_addresses_of_one_ipv6_subscriber_are_one_and_an_ipv4_address_is_itself_in_both_forms() {
    let door = Door::new(50, Some(1));
    let _one = door.enter(0, "2001:db8:0:1::1").unwrap();
    assert_eq!(door.enter(1, "2001:db8:0:1:ffff::9").unwrap_err(), Full::Address(1));
    let _other = door.enter(2, "2001:db8:0:2::1").unwrap();
    let _v4 = door.enter(3, "192.0.2.7").unwrap();
    assert_eq!(door.enter(4, "::ffff:192.0.2.7").unwrap_err(), Full::Address(1));
}

#[test]
fn who_came_is_counted_and_so_is_who_found_no_place() {
    let door = Door::new(2, None);
    let (first, second) = (door.enter(0, "::1").unwrap(), door.enter(1, "::1").unwrap());
    assert_eq!(door.enter(2, "::1").unwrap_err(), Full::Places);
    drop((first, second));
    let _third = door.enter(3, "::1").unwrap();
    let attendance = Attendance { now: 1, most: 2, ever: 3, turned_away: 1 };
    assert_eq!(door.roster.attendance(), attendance);
}

#[test]
fn the_first_who_sends_a_session_away_is_the_one_it_hears_of() {
    let door = Door::new(2, None);
    let (one, other) = (door.enter(0, "::1").unwrap(), door.enter(1, "::1").unwrap());
    assert!(one.sent_away().is_none());
    other.take_over(0);
    assert!(
        door.roster.send_away(0, SentAway::Kicked) && !door.roster.send_away(7, SentAway::Kicked)
    );
    assert_eq!((one.sent_away(), other.sent_away()), (Some(SentAway::TakenOver), None));
}
