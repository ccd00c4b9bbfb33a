//! The writer thread's own side: what it knows of each upload, and its loop.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use common::size::size;
use crossbeam_channel::{Receiver, Sender, never, select};

use super::{Back, Command, Data};
use crate::bell::Bell;
use crate::brakes;
use crate::point;
use crate::queue::Gauge;
use crate::state::{self, State};

/// What the writer knows of one upload.
struct Writing {
    id: u64,
    part: Arc<File>,
    back: Sender<Back>,
    written: u64,
    failed: bool,
}

/// The writer thread's own side.
pub(super) struct Desk {
    commands: Receiver<Command>,
    /// Of both queues, for who looks on.
    announced: Arc<Gauge>,
    carried: Arc<Gauge>,
    parts: HashMap<u64, Writing>,
    bell: Bell,
}

impl Desk {
    pub(super) fn new(
        commands: Receiver<Command>,
        announced: Arc<Gauge>,
        carried: Arc<Gauge>,
        bell: Bell,
    ) -> Self {
        Self { commands, announced, carried, parts: HashMap::new(), bell }
    }

    /// Until every sender is gone.
    pub(super) fn run(mut self, data_queue: &Receiver<Data>) {
        loop {
            // LESSON: `select!` waits on both queues at once and takes from either. When both are
            // ready it chooses at random, so nothing here may depend on which comes first.
            select! {
                recv(self.commands) -> command => match command {
                    Ok(command) => self.begin(command),
                    // No new uploads can come; those under way go on.
                    Err(_) => self.commands = never(),
                },
                recv(data_queue) -> data => match data {
                    Ok(data) => {
                        self.take(data);
                        self.bell.ring();
                    }
                    Err(_) => return, // every sender is gone: all uploads have ended
                },
            }
        }
    }

    fn begin(&mut self, Command::Begin { id, part, back }: Command) {
        self.announced.take(0);
        self.parts.insert(id, Writing { id, part, back, written: 0, failed: false });
    }

    fn take(&mut self, data: Data) {
        self.carried.take(data.bytes());
        let (Data::Chunk { id, .. } | Data::End { id } | Data::Abort { id }) = data;
        if !self.parts.contains_key(&id) {
            // The order argument above: its Begin is in the command queue already.
            while let Ok(command) = self.commands.try_recv() {
                self.begin(command);
            }
        }
        match data {
            Data::Chunk { id, bytes } => {
                if let Some(writing) = self.parts.get_mut(&id) {
                    writing.write(bytes);
                }
            }
            Data::End { id } => {
                if let Some(writing) = self.parts.remove(&id) {
                    writing.end();
                }
            }
            Data::Abort { id } => {
                self.parts.remove(&id);
            }
        }
    }
}

impl Writing {
    fn write(&mut self, bytes: Vec<u8>) {
        if !self.failed {
            state::writes(self.id);
            let _doing = state::enter(State::Disk);
            point::pass("writer.chunk");
            brakes::slow_down(bytes.len());
            match (&*self.part).write_all(&bytes) {
                Ok(()) => {
                    let count = bytes.len() as u64;
                    self.written += count;
                    state::sent(count);
                    state::did(fmt::from_fn(|f| write!(f, "wrote {}", size(count))));
                }
                Err(error) => {
                    self.failed = true;
                    self.give_back(Back::Failed(error));
                }
            }
        }
        self.give_back(Back::Buffer(bytes));
    }

    fn end(self) {
        if !self.failed {
            self.give_back(Back::Done(self.written));
        }
    }

    /// Never waits: there is a place for everything. If the session is gone, so is its receiver,
    /// and what it would have got is dropped.
    fn give_back(&self, back: Back) {
        let _ = self.back.try_send(back);
    }
}
