//! The levels of a JSON-RPC body that count: the message, or each message of a batch, and its `params`.

use super::{
    ambiguous::Ambiguous,
    call::{Call, Message, NameKey, name_key},
    grammar::Hears,
    key_name::Known,
    member::Keys,
};
use crate::limits::{MAX_BATCH, MAX_JSON_KEY};

/// What was heard of the member that names what the call is about.
#[derive(Debug, Default)]
enum Heard {
    #[default]
    Nothing,
    Text(Box<str>),
    /// It counts only where the method has its name there.
    Wrong(Ambiguous),
}

/// The message at hand.
#[derive(Debug, Default)]
struct Draft {
    keys: Keys,
    of_params: Keys,
    method: Option<Box<str>>,
    name: Heard,
    uri: Heard,
    task_id: Heard,
    params_over: bool,
    /// All is known that a rule needs.
    settled: bool,
}

impl Draft {
    fn heard(&mut self, key: NameKey) -> &mut Heard {
        match key {
            NameKey::Name => &mut self.name,
            NameKey::Uri => &mut self.uri,
            NameKey::TaskId => &mut self.task_id,
        }
    }

    fn clear(&mut self) {
        self.keys.clear();
        self.of_params.clear();
        self.method = None;
        (self.name, self.uri, self.task_id) = Default::default();
        (self.params_over, self.settled) = (false, false);
    }

    /// The call, once what came later could only be refused.
    fn settle(&mut self, over: bool) -> Result<Option<Call>, Ambiguous> {
        let is_response = self.keys.has(Known::Result) || self.keys.has(Known::Error);
        let Some(method) = &self.method else {
            return match (is_response, over) {
                (true, _) => Ok(Some(Call {
                    method: None,
                    name: None,
                })),
                (false, true) => Err(Ambiguous::NoKind),
                (false, false) => Ok(None),
            };
        };
        let name = match name_key(method) {
            None => None,
            Some(key) => {
                let all_read = over || self.params_over;
                match std::mem::take(self.heard(key)) {
                    Heard::Wrong(wrong) => return Err(wrong),
                    Heard::Text(name) => Some(name),
                    Heard::Nothing if all_read => None,
                    Heard::Nothing => return Ok(None),
                }
            }
        };
        let method = self.method.take();
        Ok(Some(Call { method, name }))
    }
}

/// Listens to a body until it knows what it asks for, and afterwards to whether it says something else too.
#[derive(Debug)]
pub(super) struct Envelope {
    longest: usize,
    /// How many containers are open inside a message: 2 in a batch.
    level: u8,
    in_params: bool,
    /// Whose value comes next.
    of: Option<Known>,
    draft: Draft,
    text: Vec<u8>,
    half: bool,
    too_long: bool,
    /// Those of a batch.
    calls: Vec<Call>,
    pub(super) message: Option<Message>,
}

impl Envelope {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            level: 1,
            in_params: false,
            of: None,
            draft: Draft::default(),
            // Most keys and names.
            text: Vec::with_capacity(64),
            half: false,
            too_long: false,
            calls: Vec::new(),
            message: None,
        }
    }

    fn is_batch(&self) -> bool {
        self.level == 2
    }

    /// Whether what stands at this depth is a member of the message, or of its `params`.
    fn counts(&self, depth: u8) -> bool {
        depth == self.level || (self.in_params && depth == self.level + 1)
    }

    /// A value that is no string, or a string that is not wanted, for the member at hand.
    fn no_text(&mut self, depth: u8) {
        if let Some(Known::Name(key)) = self.of.take()
            && self.counts(depth)
        {
            let wrong = Heard::Wrong(Ambiguous::NotText(Known::Name(key)));
            *self.draft.heard(key) = wrong;
        }
    }

    /// Asks whether all is known.
    fn settle(&mut self, over: bool) -> Result<(), Ambiguous> {
        if self.draft.settled {
            return Ok(());
        }
        if let Some(call) = self.draft.settle(over)? {
            self.draft.settled = true;
            match self.is_batch() {
                true => self.calls.push(call),
                false => self.message = Some(Message::One(call)),
            }
        }
        Ok(())
    }

    fn key(&mut self, of_params: bool) -> Result<(), Ambiguous> {
        let key = match std::str::from_utf8(&self.text) {
            Ok(key) if !self.half && !key.contains('\0') => key,
            _ => return Err(Ambiguous::BadKey),
        };
        if self.too_long {
            return Err(Ambiguous::LongKey);
        }
        let draft = &mut self.draft;
        if of_params {
            self.of = draft.of_params.note(key, true)?;
            return Ok(());
        }
        self.of = draft.keys.note(key, false)?;
        let is_response = draft.keys.has(Known::Result) || draft.keys.has(Known::Error);
        if is_response && draft.keys.has(Known::Method) {
            return Err(Ambiguous::TwoKinds);
        }
        self.settle(false)
    }

    /// The text of a method or a name.
    fn heard(&mut self, of: Known) -> Result<Box<str>, Ambiguous> {
        if self.too_long {
            return Err(Ambiguous::LongText(of));
        }
        match std::str::from_utf8(&self.text) {
            Ok(text) if !self.half && !text.contains('\0') => Ok(text.into()),
            _ => Err(Ambiguous::BadText(of)),
        }
    }
}

impl Hears for Envelope {
    fn opens(&mut self, depth: u8, object: bool) -> Result<(), Ambiguous> {
        match (depth, object) {
            (1, false) => self.level = 2,
            (2, false) if self.is_batch() => return Err(Ambiguous::NotAMessage),
            _ => {}
        }
        if depth == self.level && object {
            self.draft.clear();
            if self.calls.len() >= MAX_BATCH {
                return Err(Ambiguous::LongBatch);
            }
            return Ok(());
        }
        if depth != self.level + 1 && !(self.in_params && depth == self.level + 2) {
            return Ok(());
        }
        match self.of {
            Some(Known::Method) => return Err(Ambiguous::NotText(Known::Method)),
            Some(Known::Params) if !object => return Err(Ambiguous::ParamsNotObject),
            Some(Known::Params) => {
                self.in_params = true;
                self.of = None;
            }
            _ => self.no_text(depth - 1),
        }
        Ok(())
    }

    fn closes(&mut self, depth: u8) -> Result<(), Ambiguous> {
        if depth == 1 && self.is_batch() {
            if self.calls.is_empty() {
                return Err(Ambiguous::EmptyBatch);
            }
            self.message = Some(Message::Batch(std::mem::take(&mut self.calls)));
        } else if depth == self.level {
            return self.settle(true);
        } else if depth == self.level + 1 && self.in_params {
            self.in_params = false;
            self.draft.params_over = true;
            return self.settle(false);
        }
        Ok(())
    }

    fn scalar(&mut self, depth: u8, null: bool) -> Result<(), Ambiguous> {
        if depth < self.level {
            return Err(Ambiguous::NotAMessage);
        }
        if !self.counts(depth) {
            return Ok(());
        }
        match self.of {
            Some(Known::Method) => Err(Ambiguous::NotText(Known::Method)),
            // Some clients write `null` where they have nothing to say.
            Some(Known::Params) if null => {
                self.draft.params_over = true;
                self.of = None;
                self.settle(false)
            }
            Some(Known::Params) => Err(Ambiguous::ParamsNotObject),
            _ => {
                self.no_text(depth);
                Ok(())
            }
        }
    }

    fn begins(&mut self, depth: u8, key: bool) -> Result<bool, Ambiguous> {
        if depth < self.level {
            return Err(Ambiguous::NotAMessage);
        }
        if !self.counts(depth) {
            return Ok(false);
        }
        self.text.clear();
        (self.half, self.too_long) = (false, false);
        match self.of {
            _ if key => {
                self.of = None;
                Ok(true)
            }
            Some(Known::Method | Known::Name(_)) => Ok(true),
            Some(Known::Params) => Err(Ambiguous::ParamsNotObject),
            _ => Ok(false),
        }
    }

    fn text(&mut self, piece: &[u8]) {
        // A key, whose value has not begun, or the text of one.
        let most = match self.of {
            None => MAX_JSON_KEY,
            Some(_) => self.longest,
        };
        match self.text.len() + piece.len() <= most {
            true => self.text.extend_from_slice(piece),
            false => self.too_long = true,
        }
    }

    fn half(&mut self) {
        self.half = true;
    }

    fn ends(&mut self, depth: u8, key: bool) -> Result<(), Ambiguous> {
        if key {
            return self.key(depth > self.level);
        }
        match self.of.take() {
            Some(Known::Method) => self.draft.method = Some(self.heard(Known::Method)?),
            Some(Known::Name(key)) => {
                let text = self.heard(Known::Name(key));
                *self.draft.heard(key) = text.map_or_else(Heard::Wrong, Heard::Text);
            }
            _ => return Ok(()),
        }
        self.settle(false)
    }
}
