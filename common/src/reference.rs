//! What a program says of itself to shells and to `man`: completions and manual pages, made from
//! its table of options, so that they cannot know an option that the program does not.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Command, Subcommand, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};

use crate::escape::Safe;

/// What both programs can be asked about themselves.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Reference {
    /// Write a script that lets a shell complete commands and options.
    ///
    /// It goes to stdout.
    #[command(after_help = "Examples:
  completions bash > ~/.local/share/bash-completion/completions/NAME
  completions zsh > ~/.zfunc/_NAME
  completions fish > ~/.config/fish/completions/NAME.fish
  completions powershell >> $PROFILE")]
    Completions {
        /// The shell.
        shell: Shell,
    },

    /// Write the manual page to stdout, or all pages into a folder.
    #[command(after_help = "Examples:
  man | man -l -
  man --to ~/.local/share/man/man1")]
    Man {
        /// A folder, which must exist. There will also be a page for each command.
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        to: Option<PathBuf>,
    },
}

impl Reference {
    /// Writes what was asked about `program`, to `out` where no folder is named.
    pub fn write(&self, mut program: Command, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Completions { shell } => {
                let name = program.get_name().to_owned();
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut program, name, &mut script);
                out.write_all(&script)
            }
            Self::Man { to } => {
                let version = program.get_version().unwrap_or_default();
                let source = format!("{} {version}", program.get_name());
                // A page about help would say less than help does.
                let mut program = program.disable_help_subcommand(true);
                program.build();
                match to {
                    Some(folder) => save_pages(&program, &source, folder),
                    None => write_page(&program, &source, out),
                }
            }
        }
    }
}

/// Saves the page of a command, and of each command within it.
fn save_pages(command: &Command, source: &str, folder: &Path) -> io::Result<()> {
    for inner in command.get_subcommands() {
        save_pages(inner, source, folder)?;
    }
    let file = folder.join(Man::new(command.clone()).get_filename());
    let mut page = Vec::new();
    write_page(command, source, &mut page)?;
    fs::write(&file, page).map_err(|error| {
        let file = file.to_string_lossy();
        io::Error::new(error.kind(), format!("{}: {error}", Safe(&file)))
    })
}

fn write_page(command: &Command, source: &str, out: &mut dyn Write) -> io::Result<()> {
    let page = Man::new(command.clone()).source(source);
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    if command.has_subcommands() {
        page.render_subcommands_section(out)?;
    }
    let notes = command.get_after_long_help().or(command.get_after_help());
    let notes = notes.map(ToString::to_string).unwrap_or_default();
    let (notes, examples) = notes.split_at(notes.find("Example").unwrap_or(notes.len()));
    // Under a heading of their own they need not be called so again.
    let examples = examples.split_once('\n').map_or("", |(_, rest)| rest);
    write_section("NOTES", notes, out)?;
    write_section("EXAMPLES", examples, out)
}

/// Line by line: the tables and examples of the help are laid out already.
fn write_section(heading: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    if text.trim().is_empty() {
        return Ok(());
    }
    let mut section = Roff::new();
    section.control("SH", [heading]).control("nf", []);
    for line in text.trim_end().lines() {
        section.text([roman(line)]);
    }
    section.control("fi", []).to_writer(out)
}
