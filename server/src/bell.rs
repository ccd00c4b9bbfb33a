//! The bell for a thread that waits for many things at once, and for none of them alone: who has done
//! something it waits for rings.

use std::fmt;
use std::sync::{Arc, OnceLock};

/// A bell that nobody hears until somebody [`answers`](Self::answers) it. Clones are the same bell.
#[derive(Clone, Default)]
pub struct Bell(Arc<OnceLock<Box<dyn Fn() + Send + Sync>>>);

impl Bell {
    /// Has `wake` called from now on, which must not wait. The first who asks for it has it.
    pub fn answers(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.0.set(Box::new(wake));
    }

    /// Wakes whoever answers. Never waits.
    pub fn ring(&self) {
        self.0.get().inspect(|wake| wake());
    }
}

impl fmt::Debug for Bell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bell")
    }
}
