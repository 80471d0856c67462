//! PEM texts of one or more blocks (RFC 7468).

use zeroize::Zeroizing;

use super::MaterialError;

/// The most bytes a PEM text may have: a chain of ten certificates is well below.
pub const MAX_BYTES: usize = 128 * 1024;
/// The most blocks a PEM text may have.
pub const MAX_BLOCKS: usize = 16;

/// A decoded block.
pub struct Block<'a> {
    /// Its label, such as `CERTIFICATE`.
    pub label: &'a str,
    /// Its bytes, zeroed when dropped: it may be a key.
    pub der: Zeroizing<Vec<u8>>,
}

/// The blocks of a text; what stands between them must be white space.
pub fn blocks<'a>(what: &'static str, text: &'a str) -> Result<Vec<Block<'a>>, MaterialError> {
    read(what, text, false)
}

/// The blocks of a file that people made: tools write explanations between them (RFC 7468, section 5.2), which are passed over.
pub fn blocks_among_text<'a>(what: &'static str, text: &'a str) -> Result<Vec<Block<'a>>, MaterialError> {
    read(what, text, true)
}

fn read<'a>(what: &'static str, text: &'a str, among_text: bool) -> Result<Vec<Block<'a>>, MaterialError> {
    let wrong = |reason| MaterialError::Pem { what, reason };
    if text.len() > MAX_BYTES {
        return Err(wrong("it is larger than 128 KiB"));
    }
    let mut blocks = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        if among_text && !rest.starts_with("-----BEGIN ") {
            let Some(begin) = rest.find("-----BEGIN ") else { break };
            rest = &rest[begin..];
        }
        if !rest.starts_with("-----BEGIN ") {
            return Err(wrong("there is text outside the blocks"));
        }
        let end = rest.find("-----END ").ok_or(wrong("a block has no end"))?;
        let tail = &rest[end + 9..];
        let close = tail.find("-----").ok_or(wrong("a block has no end"))?;
        let (block, after) = rest.split_at(end + 9 + close + 5);
        if blocks.len() == MAX_BLOCKS {
            return Err(wrong("it has more than 16 blocks"));
        }
        let mut decoder = pem_rfc7468::Decoder::new_detect_wrap(block.as_bytes()).map_err(|_| wrong("a block is malformed"))?;
        let mut der = Zeroizing::new(vec![0; decoder.remaining_len()]);
        decoder.decode(&mut der).map_err(|_| wrong("a block is malformed"))?;
        blocks.push(Block { label: decoder.type_label(), der });
        rest = after.trim_start();
    }
    Ok(blocks)
}

/// One block in PEM, in lines of 64 characters that end in a line feed.
pub fn encode(label: &str, der: &[u8]) -> Result<String, MaterialError> {
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, der)
        .map_err(|_| MaterialError::Pem { what: "a block", reason: "it can't be encoded" })
}
