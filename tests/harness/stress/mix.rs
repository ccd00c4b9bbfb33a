//! What clients do, and how often.

use std::fmt;
use std::str::FromStr;

use crate::dice::Dice;

/// What a client can be doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Sends a file.
    Put,
    /// Fetches one and looks at every byte.
    Get,
    /// Lists the folder.
    List,
}

impl Verb {
    /// All of them, in the order of [`Verb::index`].
    pub const ALL: [Self; 3] = [Self::Put, Self::Get, Self::List];

    /// Its place in a table.
    pub fn index(self) -> usize {
        self as usize
    }

    /// As it is typed and shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Get => "get",
            Self::List => "list",
        }
    }
}

/// How often each verb's turn comes, against the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mix([u16; 3]);

impl Mix {
    /// One of them, as often as its weight says.
    pub fn pick(&self, dice: &mut Dice) -> Verb {
        let sum = self.0.iter().map(|weight| usize::from(*weight)).sum();
        let mut left = dice.below(sum);
        for verb in Verb::ALL {
            let weight = usize::from(self.0[verb.index()]);
            if left < weight {
                return verb;
            }
            left -= weight;
        }
        Verb::List
    }
}

impl FromStr for Mix {
    type Err = String;

    /// `put:get:list`, or weighted as in `put=3:get=6:list=1`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut weights = [0; 3];
        for part in text.split(':') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let verb = Verb::ALL.into_iter().find(|verb| verb.name() == name);
            let verb = verb.ok_or_else(|| format!("`{name}` is none of put, get, list"))?;
            let weight = weight.parse().ok().filter(|weight| (1..=1000).contains(weight));
            let weight = weight.ok_or("a weight is a whole number from 1 to 1000, as in get=6")?;
            if weights[verb.index()] != 0 {
                return Err(format!("`{name}` is there twice"));
            }
            weights[verb.index()] = weight;
        }
        Ok(Self(weights))
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chosen = Verb::ALL.into_iter().filter(|verb| self.0[verb.index()] > 0);
        let words: Vec<String> =
            chosen.map(|verb| format!("{}={}", verb.name(), self.0[verb.index()])).collect();
        f.write_str(&words.join(":"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_shown_as_it_is_understood() {
        let shown = |text: &str| text.parse::<Mix>().map(|mix| mix.to_string());
        assert_eq!(shown("put:get:list"), Ok("put=1:get=1:list=1".into()));
        assert_eq!(shown("get=6:put=3"), Ok("put=3:get=6".into()));
        for bad in ["", "put:fly", "put:put", "get=0", "get=x", "get=1001", "put,get"] {
            assert!(bad.parse::<Mix>().is_err(), "{bad}");
        }
    }

    #[test]
    fn each_comes_as_often_as_its_weight_says() {
        let (mix, mut dice) = ("put=3:get=6".parse::<Mix>().unwrap(), Dice::new(1));
        let mut counts = [0; 3];
        (0..9000).for_each(|_| counts[mix.pick(&mut dice).index()] += 1);
        assert!((2700..3300).contains(&counts[0]) && counts[2] == 0, "{counts:?}");
    }
}
