//! What Helm says on its standard error while it puts values together.

/// The most warnings that are kept.
const MOST: usize = 1000;
/// The most characters of one: Helm prints whole tables.
const MOST_CHARACTERS: usize = 4000;

/// Warnings in their order, each once: Helm merges the same values several times, and tells the same of them each time.
#[derive(Debug, Default)]
pub(crate) struct Warnings(Vec<String>);

impl Warnings {
    /// One more.
    pub(crate) fn say(&mut self, mut text: String) {
        if let Some((cut, _)) = text.char_indices().nth(MOST_CHARACTERS) {
            text.truncate(cut);
            text.push('…');
        }
        if self.0.len() < MOST && !self.0.contains(&text) {
            self.0.push(text);
        }
    }

    /// All of them.
    pub(crate) fn into_texts(self) -> Vec<String> {
        self.0
    }
}
