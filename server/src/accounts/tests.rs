//! Accounts without a server: what their hashes and delays come to.

use std::net::Ipv4Addr;

use argon2::Params;

use super::*;
use crate::store::Store;

#[test]
fn a_hash_of_old_parameters_is_renewed_by_the_next_login() {
    let data = tempfile::tempdir().unwrap();
    let users = Store::open_users(data.path()).unwrap();
    let (user, password) = (UserName::parse("xiaoyu").unwrap(), Password("123456".into()));
    let mut accounts = Accounts::new(&users, 6, 1);
    accounts.hashing = Hashing::with(Params::new(8 * 1024, 1, 1, None).unwrap());
    let (old, _) = accounts.register(&user, &password, Role::User).unwrap();
    assert!(old.password.contains("m=8192,t=1"), "{}", old.password);

    let accounts = Accounts::new(&users, 6, 1);
    let home = Ipv4Addr::LOCALHOST.into();
    accounts.login(home, &user, &password).unwrap();
    let new = accounts.find(&user).unwrap().unwrap();
    assert!(new.password.contains("m=19456,t=2"), "{}", new.password);
    assert_eq!(new.created, old.created);
    accounts.login(home, &user, &password).unwrap();
    assert!(accounts.login(home, &user, &Password("1234567".into())).is_err());
}

#[test]
fn what_is_remembered_opens_no_door_that_the_throttle_has_closed() {
    let data = tempfile::tempdir().unwrap();
    let users = Store::open_users(data.path()).unwrap();
    let accounts = Accounts::new(&users, 6, 1).remembering(Duration::from_secs(600)).unwrap();
    let (user, password) = (UserName::parse("xiaoyu").unwrap(), Password("123456".into()));
    accounts.register(&user, &password, Role::User).unwrap();
    let other = UserName::parse("yuki").unwrap();
    for (n, guessed) in (1..).zip([&user, &other]) {
        let here = Ipv4Addr::new(127, 0, 0, n).into();
        accounts.login(here, &user, &password).unwrap();
        // So many that the delay is the longest, and none is over before the next line.
        (0..120).for_each(|_| accounts.throttle.failed(here, guessed));
        let refusal = accounts.login(here, &user, &password).unwrap_err();
        assert_eq!(refusal.reason, Reason::Busy, "after guesses at {guessed}");
    }
}
