//! The requests about files and folders.

use harness::content::crc;
use serde_json::{Value, json};

use super::{
    Answer, Deed, Model, Node, Put, Refused, Upload, done, fail, is_below, is_place, owner, split,
    with,
};

impl Model {
    /// What is to be on disk below the places: every path, and what the files hold.
    pub(crate) fn kept(&self) -> Vec<(String, Vec<u8>)> {
        let below = self.nodes.iter().filter(|(path, _)| path.rsplit('/').count() > 2);
        let kept = |node: &Node| match node {
            Node::Folder => vec![],
            Node::File(content) => content.clone(),
        };
        let mut found: Vec<_> = below.map(|(path, node)| (path.clone(), kept(node))).collect();
        found.sort_by_key(|(path, _)| !path.starts_with("/library"));
        found
    }

    pub(super) fn list(&self, session: usize, text: &str) -> Result<Value, Refused> {
        let folder = self.find(session, text, Deed::Look)?;
        let Node::Folder = self.node(&folder)? else { return Err(fail("not-found")) };
        let entries: Vec<Value> = if folder == "/" {
            let places = ["library", "home", "homes"].into_iter();
            let seen =
                places.filter(|name| self.find(session, &format!("/{name}"), Deed::Look).is_ok());
            seen.map(|name| json!({"name": name, "kind": "folder", "size": 0})).collect()
        } else {
            let children = self.children(&folder);
            children
                .map(|(path, name)| with(self.described(path), &json!({"name": name})))
                .collect()
        };
        Ok(match entries.as_slice() {
            [] => json!({"status": "EMPTY"}),
            entries => json!({"status": "OK", "entries": entries, "more": false}),
        })
    }

    fn file(&self, session: usize, text: &str) -> Result<&[u8], Refused> {
        match self.node(&self.find(session, text, Deed::Look)?)? {
            Node::File(content) => Ok(content),
            Node::Folder => Err(fail("not-found")),
        }
    }

    pub(super) fn get(&self, session: usize, text: &str, offset: usize) -> Result<Answer, Refused> {
        let content = self.file(session, text)?;
        let rest = content.get(offset..).ok_or_else(|| fail("bad-request"))?;
        let line = json!({"status": "OK", "size": content.len(), "crc32": crc(content)});
        Ok((line, rest.to_vec()))
    }

    pub(super) fn stat(&self, session: usize, text: &str) -> Result<Value, Refused> {
        let path = self.find(session, text, Deed::Look)?;
        self.node(&path)?;
        let line = with(done(), &self.described(&path));
        Ok(match owner(&path) {
            Some(user) if is_place(&path) => with(line, &self.usage(user)),
            _ => line,
        })
    }

    pub(super) fn sum(&self, session: usize, text: &str) -> Result<Value, Refused> {
        Ok(json!({"status": "OK", "crc32": crc(self.file(session, text)?)}))
    }

    pub(super) fn mkdir(&mut self, session: usize, text: &str) -> Result<Value, Refused> {
        let path = self.find(session, text, Deed::Create)?;
        self.new_entry(&path)?;
        self.free(&path, &None)?;
        self.nodes.insert(path, Node::Folder);
        Ok(done())
    }

    pub(super) fn delete(&mut self, session: usize, text: &str) -> Result<Value, Refused> {
        let path = self.find(session, text, Deed::Remove)?;
        self.old_entry(&path)?;
        self.unclaimed(&path)?;
        self.node(&path)?;
        if self.children(&path).next().is_some() {
            return Err(fail("denied"));
        }
        self.nodes.remove(&path);
        self.uploads_follow(|target| (split(target).0 != path).then(|| target.to_owned()));
        Ok(done())
    }

    pub(super) fn rename(
        &mut self,
        session: usize,
        from: &str,
        to: &str,
    ) -> Result<Value, Refused> {
        let from = self.find(session, from, Deed::Remove)?;
        let to = self.find(session, to, Deed::Create)?;
        self.old_entry(&from)?;
        self.new_entry(&to)?;
        if owner(&from) != owner(&to) {
            return Err(fail("bad-request"));
        }
        self.unclaimed(&from)?;
        self.unclaimed(&to)?;
        self.node(&from)?;
        self.free(&to, &None)?;
        if is_below(&to, &from) {
            return Err(fail("bad-request"));
        }
        let moved = |path: &str| match path.strip_prefix(&from) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("{to}{rest}"),
            _ => path.to_owned(),
        };
        let nodes = std::mem::take(&mut self.nodes);
        self.nodes = nodes.into_iter().map(|(path, node)| (moved(&path), node)).collect();
        self.uploads_follow(|target| {
            let (folder, name) = split(target);
            Some(format!("{}/{name}", moved(folder)))
        });
        Ok(done())
    }

    /// A file is laid into the folder that was there when its upload began, wherever that is now.
    fn uploads_follow(&mut self, follow: impl Fn(&str) -> Option<String>) {
        for upload in self.sessions.iter_mut().filter_map(|session| session.upload.as_mut()) {
            upload.target = upload.target.as_deref().and_then(&follow);
        }
    }

    pub(super) fn plan(&self, session: usize, put: &Put) -> Result<Upload, Refused> {
        let path = self.find(session, put.path, Deed::Create)?;
        self.new_entry(&path)?;
        // To replace a file is to remove it. Who may not can still make one where there is none.
        let may = || self.find(session, put.path, Deed::Remove).map(drop);
        let overwrite = put.overwrite.then(may);
        self.free(&path, &overwrite)?;
        self.unclaimed(&path)?;
        let room = self.quota.zip(owner(&path)).map(|(quota, user)| quota - self.used(user));
        if room.is_some_and(|room| put.body.len() > room) {
            return Err(fail("quota"));
        }
        Ok(Upload { target: Some(path.clone()), claim: path, body: put.body.clone(), overwrite })
    }

    pub(super) fn publish(&mut self, upload: Upload, whole: bool) -> Result<Value, Refused> {
        if !whole {
            return Err(fail("checksum-mismatch"));
        }
        let target = upload.target.ok_or_else(|| fail("not-found"))?;
        self.free(&target, &upload.overwrite)?;
        self.nodes.insert(target, Node::File(upload.body));
        Ok(done())
    }

    fn children(&self, folder: &str) -> impl Iterator<Item = (&str, &str)> {
        let below = self.nodes.keys().filter(move |path| is_below(path, folder));
        below
            .map(|path| (path.as_str(), split(path)))
            .filter_map(move |(path, (above, name))| (above == folder).then_some((path, name)))
    }
}
