//! What may be seen, and what must not be seen again.

use super::*;

fn put(ledger: &Ledger, name: &str) -> Version {
    let (version, _) = ledger.new_version(10);
    ledger.changing(name, Some(version)).done();
    version
}

fn sees(ledger: &Ledger, name: &str, version: Version) -> bool {
    ledger.looking(name).saw("a file", |may| *may == version).is_ok()
}

#[test]
fn what_was_replaced_must_not_be_seen_again() {
    let ledger = Ledger::default();
    let (first, second) = (put(&ledger, "a"), put(&ledger, "a"));
    assert!(sees(&ledger, "a", second) && !sees(&ledger, "a", first));
    assert!(ledger.looking("a").saw_nothing().is_err());
    ledger.changing("a", None).done();
    assert!(!sees(&ledger, "a", second) && ledger.looking("a").saw_nothing().is_ok());
}

#[test]
fn who_looked_before_may_see_what_was_then_replaced() {
    let ledger = Ledger::default();
    let first = put(&ledger, "a");
    let look = ledger.looking("a");
    let second = put(&ledger, "a");
    put(&ledger, "a");
    for version in [first, second] {
        look.saw("a file", |may| *may == version).unwrap();
    }
    drop(look);
    assert!(!sees(&ledger, "a", second));
}

#[test]
fn a_change_under_way_may_be_seen_or_not_and_a_refused_one_never() {
    let ledger = Ledger::default();
    let first = put(&ledger, "a");
    let (second, _) = ledger.new_version(10);
    let pending = ledger.changing("a", Some(second));
    assert!(sees(&ledger, "a", first) && sees(&ledger, "a", second));
    pending.never();
    assert!(sees(&ledger, "a", first) && !sees(&ledger, "a", second));
}

#[test]
fn a_change_nobody_heard_of_may_come_true_late() {
    let ledger = Ledger::default();
    let (lost, _) = ledger.new_version(10);
    ledger.changing("a", Some(lost)).unheard();
    let later = put(&ledger, "a");
    assert!(sees(&ledger, "a", lost) && sees(&ledger, "a", later));
    assert!(ledger.looking("a").saw_nothing().is_err());
}

#[test]
fn two_who_may_not_replace_cannot_both_have_created() {
    let ledger = Ledger::default();
    let create = || {
        let (version, _) = ledger.new_version(10);
        ledger.changing("a", Some(version)).created()
    };
    create().unwrap();
    assert!(create().is_err());
    ledger.changing("b", None).done();
    let pending = ledger.changing("a", None);
    pending.never();
    assert!(create().is_err());
}

#[test]
fn a_history_does_not_grow() {
    let ledger = Ledger::default();
    for _ in 0..100 {
        put(&ledger, "a");
    }
    let names = ledger.lock();
    assert!(names["a"].changes.len() <= 2, "{:?}", names["a"].changes);
}
