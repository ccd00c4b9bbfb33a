//! Who one is.

use common::protocol::Done;
use common::user::UserName;

use super::Shell;
use super::report::Report;
use crate::display;
use crate::error::Error;
use crate::password::Passwords;

impl Shell<'_> {
    pub(super) fn register(&mut self, user: &UserName, report: &mut Report) -> Result<(), Error> {
        let (prompt, again) = (format!("Password for {user}: "), "Once more: ");
        let password = self.link.passwords().choose(&prompt, again)?;
        let identity = self.link.register(user, password)?;
        let line = format!("register {}", display::identity(&identity));
        report.done(user.as_str(), &line, identity)
    }

    pub(super) fn login(&mut self, user: &UserName, report: &mut Report) -> Result<(), Error> {
        let password = self.link.passwords().get(&format!("Password for {user}: "))?;
        let identity = self.link.log_in(user, password)?;
        let line = format!("login {}", display::identity(&identity));
        report.done(user.as_str(), &line, identity)
    }

    pub(super) fn passwd(&mut self, new: &Passwords, report: &mut Report) -> Result<(), Error> {
        // Said before three questions are asked in vain.
        if self.link.user().is_none() {
            return Err(Error::LoginRefused("a guest has no password; log in first".into()));
        }
        let old = self.link.passwords().get("Old password: ")?;
        let new = new.choose("New password: ", "Once more: ")?;
        self.link.passwd(&old, new)?;
        report.done("", "passwd", Done {})
    }

    pub(super) fn who(&mut self, report: &mut Report) -> Result<(), Error> {
        let identity = self.link.client()?.who()?;
        report.answer("", &display::identity(&identity), identity)
    }
}
