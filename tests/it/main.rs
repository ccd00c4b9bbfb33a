//! Ferry from outside: real sockets, real files, one server for each test.

// A test that meets what it did not expect has failed; saying so is what a panic is for.
#![allow(clippy::unwrap_used)]

mod ears; // somebody in the room, or at its door: asks, and keeps what is heard meanwhile
mod fake_room; // a server with nothing but a room, in which only the test speaks
mod model; // what a server means: the protocol without disk, threads or sockets
mod network; // addresses of other machines, and a line that can be cut
mod pair; // two servers on one folder
mod people; // how a test becomes somebody: a user, an administrator
mod seat; // somebody at the prompt, on a terminal of their own
mod strace; // system calls that fail on demand
mod talk; // what the tests say and hear: the one place that knows how a request is spelled
mod well_formed; // whether a drawing is XML
mod witness; // who remembers what a server promised, and looks whether it was kept

mod accounts; // REGISTER, LOGIN, PASSWD, WHO
mod bad_network; // slow, cut, silent: what a network does
mod bench; // Ferry beside the limit, with little of everything
mod bodies; // a body is never taken for a request
mod chat; // the room at the prompt
mod claims; // one name, many writers: one at a time, in line, told about each other
mod class; // a server that can be held up, for a class that looks on
mod class_client; // what a client can be told to do so that a class sees it
mod command_lists; // `ferry -c`, and commands on stdin
mod completion; // what Tab offers, and what no name or network does to it
mod console; // the teacher's console, at the terminal and from elsewhere
mod corpus; // whatever bytes come: what the fuzzers found, and more
mod cost; // two builds of the server, compared
mod crashes; // a server that dies keeps what it promised, at whatever step
mod crowd; // many clients at once, many files at once
mod curves; // the growth curves, short: all is measured, in line, and drawn
mod cuts; // an upload that ends early leaves nothing
mod disk; // a full or read-only disk makes no lie and no loss
mod docs; // the documents, held to what they say
mod door; // how many may come in, from where, and that those who sit at the machine always may
mod exercises; // right answers are right, wrong ones are found out
mod exhaustion; // no descriptor, no thread, and what `accept` reports
mod faults; // every step of an upload fails in every way
mod folders; // folders with one command, cut off and gone on with; patterns, other names
mod homes; // what an owner can do in a home
mod hostile; // every limit, and what happens one step beyond it
mod house; // the house rules that can be counted
mod lab; // wrong programs go wrong, right ones do not
mod lifetime; // starting, stopping, and clients that come and go
mod line_breaks; // an upload by the real client goes on when it was cut off
mod listing; // LIST and its pages
mod locks; // they count, and say the name of their data
mod logins; // what is remembered of a right password, and what that gives to nobody
mod many_files; // many files with one command
mod menu; // the numbered menu from start to exit, in both languages
mod models; // the same checks for the other ways to run sessions, and what each has of its own
mod named_servers; // `ferry @NAME`, and the file that knows the name
mod nonsense; // lines that are no requests
mod notices; // who brought what into the library, told to the room
mod package; // what the Debian package installs, and how it starts the server
mod panics; // a session that panics, and a writer that dies
mod paths; // no spelling, link or special file leads anywhere it should not
mod powercut; // OK is true after a power cut, and a missing sync is found out
mod privacy; // a home is its owner's, and nobody else's
mod programs; // the real programs in processes of their own
mod progress; // bars on a terminal, and none elsewhere
mod prompt; // the prompt on a terminal, as a person types and sees it
mod quota; // how full a home is, and that it never gets fuller
mod races; // what a path leads to changes while it is walked
mod reasons; // every reason a FAIL can have
mod references; // completions and manual pages
mod requests; // the session itself, and every request that moves no bytes
mod resume_faults; // keeping what came of an upload fails in every way
mod resume_get; // a download that is cut off goes on where it was
mod resume_put; // an upload that was cut goes on
mod rights; // the table of rights, every cell of it
mod room; // who is in the room, what they hear, and what nobody can do there
mod room_crowd; // a room full of people, some of whom do not read
mod scripts; // whole scripts of requests, played to the server and to its model
mod settings; // the settings file, and what is wrong with it
mod shared; // several servers on one folder
mod size_limit; // a file over the system's limit is refused, and the server lives
mod slow; // who is too slow ends, who keeps the pace does not
mod slow_disk; // who waits for a slow disk is told so, and waits on
mod soak; // everybody does everything at once, and a siege
mod strangers; // what a stranger may learn, and how slowly
mod stress; // the stress test looks, finds, and ends as it should
mod stripes; // who waits for whom between servers
mod trace; // what happens between threads, recorded and in columns
mod transfers; // GET and PUT
mod user_tasks; // `ferryd user …`, and accounts when the server is killed
mod vanished; // a peer that is gone without a word
mod watch; // the state table: what holds whom up, and who may see it
mod words; // what the client says, in the language of who reads it
