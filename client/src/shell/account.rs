//! Who one is.

use common::protocol::Done;
use common::user::UserName;

use super::Shell;
use super::report::Report;
use crate::display;
use crate::error::{Error, Unasked};
use crate::password::Passwords;
use crate::words::Talk;

impl Shell<'_> {
    pub(super) fn register(&mut self, user: &UserName, report: &mut Report) -> Result<(), Error> {
        let questions = [Talk::PasswordOf { user }, Talk::OnceMore];
        let [prompt, again] = questions.map(|question| self.printer.words(&question));
        let password = self.printer.lend(|| self.link.passwords().choose(&prompt, &again))?;
        let identity = self.link.register(user, password)?;
        let line = format!("register {}", display::identity(&identity));
        report.done(user.as_str(), &line, identity)
    }

    pub(super) fn login(&mut self, user: &UserName, report: &mut Report) -> Result<(), Error> {
        let prompt = self.printer.words(&Talk::PasswordOf { user });
        let password = self.printer.lend(|| self.link.passwords().get(&prompt))?;
        let identity = self.link.log_in(user, password)?;
        let line = format!("login {}", display::identity(&identity));
        report.done(user.as_str(), &line, identity)
    }

    pub(super) fn passwd(&mut self, new: &Passwords, report: &mut Report) -> Result<(), Error> {
        // Said before three questions are asked in vain.
        if self.link.user().is_none() {
            return Err(Error::NoPassword(Unasked::Guest));
        }
        let questions = [Talk::OldPassword, Talk::NewPassword, Talk::OnceMore];
        let [old, prompt, again] = questions.map(|question| self.printer.words(&question));
        let (old, new) = self.printer.lend(|| {
            let old = self.link.passwords().get(&old)?;
            new.choose(&prompt, &again).map(|new| (old, new))
        })?;
        self.link.passwd(&old, new)?;
        report.done("", "passwd", Done {})
    }

    pub(super) fn who(&mut self, report: &mut Report) -> Result<(), Error> {
        let identity = self.link.client()?.who()?;
        report.answer("", &display::identity(&identity), identity)
    }
}
