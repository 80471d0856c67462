//! What stands between the keys and values of a TOML text: dots, brackets, commas and line ends, with the errors of `lex.go`.

use super::scan::{END, Fault, Item, Scanner, is_newline, is_space};
use crate::helm::strconv::quote_rune;

fn shown(rune: char) -> String {
    quote_rune(rune, false)
}

fn shown_or_end(rune: char) -> String {
    if rune == END { "end of file".to_owned() } else { format!("'{rune}'") }
}

impl Scanner<'_> {
    /// Nothing but spaces and a comment up to the end of the line.
    pub(super) fn end_of_line(&mut self) -> Result<(), Fault> {
        loop {
            match self.next()? {
                '#' => return self.skip_comment(),
                rune if is_space(rune) => {}
                rune if is_newline(rune) || rune == END => return Ok(()),
                rune => {
                    let rune = shown(rune);
                    return Err(
                        self.wrong(format!("expected a top-level item to end with a newline, comment, or EOF, but got {rune} instead"))
                    );
                }
            }
        }
    }

    /// One part of a table's name.
    pub(super) fn table_name(&mut self) -> Result<Item, Fault> {
        self.skip_spaces()?;
        match self.peek()? {
            ']' | END => Err(self.wrong("unexpected end of table name (table names cannot be empty)")),
            '.' => Err(self.wrong("unexpected table separator (table names cannot be empty)")),
            _ => self.name(),
        }
    }

    /// Whether the table's name ends here, with one bracket or two.
    pub(super) fn end_of_table_name(&mut self, array: bool) -> Result<bool, Fault> {
        self.skip_spaces()?;
        match self.next()? {
            '.' => return Ok(false),
            ']' => {}
            rune => return Err(self.wrong(format!("expected '.' or ']' to end table name, but got {} instead", shown(rune)))),
        }
        if array {
            let rune = self.next()?;
            if rune != ']' {
                return Err(self.wrong(format!("expected end of table array name delimiter ']', but got {} instead", shown(rune))));
            }
        }
        Ok(true)
    }

    /// Before a key.
    pub(super) fn start_of_key(&mut self) -> Result<(), Fault> {
        self.skip_spaces()?;
        match self.peek()? {
            '=' | END => Err(self.wrong("unexpected '=': key name appears blank")),
            '.' => Err(self.wrong("unexpected '.': keys cannot start with a '.'")),
            _ => Ok(()),
        }
    }

    /// One part of a key.
    pub(super) fn key_name(&mut self) -> Result<Item, Fault> {
        self.skip_spaces()?;
        match self.peek()? {
            '=' | END => Err(self.wrong("unexpected '='")),
            '.' => Err(self.wrong("unexpected '.'")),
            _ => self.name(),
        }
    }

    /// Whether the key ends here, with its equals sign.
    pub(super) fn end_of_key_name(&mut self) -> Result<bool, Fault> {
        self.skip_spaces()?;
        match self.next()? {
            '.' => Ok(false),
            '=' => Ok(true),
            END => Err(self.wrong("unexpected EOF; expected key separator '='")),
            rune => {
                let message = format!("expected '.' or '=', but got {} instead", shown(rune));
                Err(if rune == '\n' { self.wrong_before(message) } else { self.wrong(message) })
            }
        }
    }

    /// Whether the array has an item here; at its end the bracket is taken.
    pub(super) fn another_item(&mut self, first: bool) -> Result<bool, Fault> {
        if !first {
            match self.next_in_lines()? {
                ',' => {}
                ']' => return Ok(false),
                rune => {
                    let rune = shown_or_end(rune);
                    return Err(self.wrong(format!("expected a comma (',') or array terminator (']'), but got {rune}")));
                }
            }
        }
        match self.next_in_lines()? {
            ',' => Err(self.wrong("unexpected comma")),
            ']' => Ok(false),
            _ => {
                self.back();
                Ok(true)
            }
        }
    }

    /// Whether the inline table has a key here; at its end the brace is taken.
    pub(super) fn another_pair(&mut self, first: bool) -> Result<bool, Fault> {
        if !first {
            match self.next_in_lines()? {
                ',' => {}
                '}' => return Ok(false),
                rune => {
                    let rune = shown_or_end(rune);
                    return Err(self.wrong(format!("expected a comma or an inline table terminator '}}', but got {rune} instead")));
                }
            }
        }
        match self.next_in_lines()? {
            ',' => Err(self.wrong("unexpected comma")),
            '}' => Ok(false),
            _ => {
                self.back();
                Ok(true)
            }
        }
    }

    /// The next letter after spaces, line ends and comments.
    fn next_in_lines(&mut self) -> Result<char, Fault> {
        loop {
            match self.next()? {
                '#' => self.skip_comment()?,
                rune if is_space(rune) || is_newline(rune) => {}
                rune => return Ok(rune),
            }
        }
    }
}
