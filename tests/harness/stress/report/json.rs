//! The report for programs.

use serde_json::{Map, Value, json};

use super::{QUANTILES, Report};
use crate::stress::figures::{float, megabytes};
use crate::stress::ledger::Figures;
use crate::stress::mix::Verb;
use crate::stress::notes::Notes;

/// How fine the histogram is: 2 to the power of this many steps for each doubling.
const HALVINGS: u32 = 2;

impl Report {
    /// Everything in it. Times are in microseconds where a name says `us`, else in seconds.
    pub fn json(&self) -> Value {
        let verbs: Map<String, Value> = Verb::ALL
            .map(|verb| (verb.name().to_owned(), self.verb_json(verb)))
            .into_iter()
            .collect();
        let refused = self.ledger.refusals.iter().map(|((verb, reason), count)| {
            json!({"verb": verb.name(), "reason": reason, "count": count})
        });
        let target = self.plan.target.as_ref().map(|target| target.server.to_string());
        json!({
            "plan": {
                "server": target,
                "clients": self.plan.clients,
                "seconds": self.plan.time.as_secs(),
                "mix": self.plan.mix.to_string(),
                "sizes": [self.plan.sizes.min, self.plan.sizes.max],
                "same_name": self.plan.same_name.to_string(),
                "rate": self.plan.rate.map(|rate| rate.to_string()),
                "seed": self.plan.seed,
            },
            "seconds": self.time.as_secs_f64(),
            "interrupted": self.interrupted,
            "never_begun": self.never_begun,
            "verbs": verbs,
            "refused": refused.collect::<Vec<Value>>(),
            "waits": self.waits,
            "mismatches": notes(&self.ledger.wrong),
            "errors": notes(&self.ledger.failed),
            "slot_seconds": self.ledger.slot.as_secs_f64(),
        })
    }

    fn verb_json(&self, verb: Verb) -> Value {
        let Figures { latency, bytes, course } = self.figures(verb);
        let mut shown: Map<String, Value> = QUANTILES
            .map(|(name, per_mille)| (format!("{name}_us"), latency.quantile(per_mille).into()))
            .into_iter()
            .collect();
        shown.insert("max_us".into(), latency.max().into());
        let steps = latency.steps(HALVINGS).into_iter().filter(|step| step.count > 0);
        json!({
            "done": latency.total(),
            "bytes": bytes,
            "ops_per_second": self.a_second(float(latency.total())),
            "mb_per_second": self.a_second(megabytes(*bytes)),
            "latency": shown,
            "histogram": steps
                .map(|step| json!({"from_us": step.from, "to_us": step.to, "count": step.count}))
                .collect::<Vec<Value>>(),
            "course": course
                .iter()
                .map(|slot| json!({"done": slot.done, "bytes": slot.bytes}))
                .collect::<Vec<Value>>(),
        })
    }
}

fn notes(notes: &Notes) -> Value {
    json!({"count": notes.count, "first": notes.first})
}
