//! Directives, anchors, aliases and tags.

use super::scan::Scanner;
use super::token::{Kind, Problem};

type Result<T = (), E = Problem> = std::result::Result<T, E>;

impl<'a> Scanner<'a> {
    fn skip_blanks(&mut self) {
        while self.text.is_blank(0) {
            self.text.skip();
        }
    }

    fn read_alpha(&mut self) -> &'a str {
        let start = self.text.at();
        while self.text.is_alpha() {
            self.text.skip();
        }
        self.text.slice(start, self.text.at())
    }

    pub(super) fn scan_directive(&mut self) -> Result<Kind<'a>> {
        self.text.skip();
        let name = self.read_alpha();
        if name.is_empty() {
            return Err(self.problem("could not find expected directive name"));
        }
        if !self.text.is_blank_or_end(0) {
            return Err(self.problem("found unexpected non-alphabetical character"));
        }
        let kind = match name {
            "YAML" => {
                self.skip_blanks();
                let major = self.version_number()?;
                if self.text.peek(0) != b'.' {
                    return Err(self.problem("did not find expected digit or '.' character"));
                }
                self.text.skip();
                Kind::VersionDirective(major, self.version_number()?)
            }
            "TAG" => {
                self.skip_blanks();
                let handle = self.tag_handle(true)?;
                if !self.text.is_blank(0) {
                    return Err(self.problem("did not find expected whitespace"));
                }
                self.skip_blanks();
                let prefix = self.tag_uri("")?;
                if !self.text.is_blank_or_end(0) {
                    return Err(self.problem("did not find expected whitespace or line break"));
                }
                Kind::TagDirective(handle, prefix)
            }
            _ => return Err(self.problem("found unknown directive name")),
        };
        self.skip_blanks();
        self.skip_comment();
        if !self.text.is_break_or_end(0) {
            return Err(self.problem("did not find expected comment or line break"));
        }
        if self.text.is_break(0) {
            self.text.skip_line();
        }
        Ok(kind)
    }

    fn version_number(&mut self) -> Result<u32> {
        let (mut value, mut length) = (0, 0);
        while let digit @ b'0'..=b'9' = self.text.peek(0) {
            length += 1;
            if length > 2 {
                return Err(self.problem("found extremely long version number"));
            }
            value = value * 10 + u32::from(digit - b'0');
            self.text.skip();
        }
        if length == 0 {
            return Err(self.problem("did not find expected version number"));
        }
        Ok(value)
    }

    pub(super) fn scan_anchor(&mut self, alias: bool) -> Result<Kind<'a>> {
        self.text.skip();
        let name = self.read_alpha();
        let ends = self.text.is_blank_or_end(0) || matches!(self.text.peek(0), b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`');
        if name.is_empty() || !ends {
            return Err(self.problem("did not find expected alphabetic or numeric character"));
        }
        Ok(if alias { Kind::Alias(name) } else { Kind::Anchor(name) })
    }

    pub(super) fn scan_tag(&mut self) -> Result<Kind<'a>> {
        let (mut handle, mut suffix);
        if self.text.peek(1) == b'<' {
            self.text.skip();
            self.text.skip();
            handle = String::new();
            suffix = self.tag_uri("")?;
            if self.text.peek(0) != b'>' {
                return Err(self.problem("did not find the expected '>'"));
            }
            self.text.skip();
        } else {
            handle = self.tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with('!') {
                suffix = self.tag_uri("")?;
            } else {
                suffix = self.tag_uri(&handle)?;
                "!".clone_into(&mut handle);
                if suffix.is_empty() {
                    std::mem::swap(&mut handle, &mut suffix);
                }
            }
        }
        if !self.text.is_blank_or_end(0) {
            return Err(self.problem("did not find expected whitespace or line break"));
        }
        Ok(Kind::Tag(handle, suffix))
    }

    fn tag_handle(&mut self, directive: bool) -> Result<String> {
        if self.text.peek(0) != b'!' {
            return Err(self.problem("did not find expected '!'"));
        }
        let mut out = String::new();
        self.text.read(&mut out);
        out.push_str(self.read_alpha());
        if self.text.peek(0) == b'!' {
            self.text.read(&mut out);
        } else if directive && out != "!" {
            return Err(self.problem("did not find expected '!'"));
        }
        Ok(out)
    }

    /// A URI, after what of it was read as a handle.
    fn tag_uri(&mut self, head: &str) -> Result<String> {
        let mut bytes = head.bytes().skip(1).collect::<Vec<u8>>();
        let mut found = !head.is_empty();
        loop {
            let byte = self.text.peek(0);
            if byte == b'%' {
                let digit = |ahead| char::from(self.text.peek(ahead)).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                let (Some(high), Some(low)) = (digit(1), digit(2)) else {
                    return Err(self.problem("did not find URI escaped octet"));
                };
                bytes.push(high << 4 | low);
                (0..3).for_each(|_| self.text.skip());
            } else if self.text.is_alpha() || b";/?:@&=+$,.!~*'()[]".contains(&byte) {
                bytes.push(byte);
                self.text.skip();
            } else {
                break;
            }
            found = true;
        }
        if !found {
            return Err(self.problem("did not find expected tag URI"));
        }
        String::from_utf8(bytes).map_err(|_| self.problem("found an incorrect leading UTF-8 octet"))
    }
}
