//! Where other people's programs are.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Folders below one that was named, as packages and virtual environments have them.
const BELOW: [&str; 4] = ["usr/sbin", "usr/bin", "venv/bin", ""];
/// Where daemons are, though not everybody's `PATH` says so.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Folders with programs in them.
#[derive(Debug, Default)]
pub struct Programs(Vec<PathBuf>);

impl Programs {
    /// Those below `named`, for packages that were unpacked and not installed; then the `PATH`.
    pub fn below(named: &[PathBuf]) -> Self {
        let below = named.iter().flat_map(|dir| BELOW.map(|inside| dir.join(inside)));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
        Self(below.chain(path).chain(SYSTEM.map(PathBuf::from)).collect())
    }

    /// Where this program is; if it is nowhere, that in words.
    pub(super) fn find(&self, name: &str) -> Result<PathBuf, String> {
        self.all(name).next().ok_or_else(|| format!("there is no program `{name}`; see --peers"))
    }

    /// The first Python that has this module.
    pub(super) fn python_with(&self, module: &str) -> Result<PathBuf, String> {
        let has_it = |python: &PathBuf| {
            let mut command = Command::new(python);
            command.args(["-c", &format!("import {module}")]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let found = ["python", "python3"].into_iter().flat_map(|name| self.all(name)).find(has_it);
        found.ok_or_else(|| format!("no Python here has `{module}`; see --peers"))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        self.0.iter().map(move |folder| folder.join(name)).filter(|path| path.is_file())
    }
}
