//! From a message's JSON to what the spam filter learns from.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use weir_ps::{Batch, NameRef};
use weir_wire::message::{Id, Label, MessageEvent, MessageMapping};
use weir_wire::{Reason, Reject};

use super::{
    Classes, Content, ContentExtractor, Grounds, Listable, Policy, PolicyBook, SpamModel, message_key, tenant_key,
};
use crate::{Decoder, Input, InputModel};
use weir_wire::verdict::{List, ListKind, ListReason, Thresholds};

/// What an event says of its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// This is what it says; score it, and learn the label if there is one.
    Text(Option<u8>),
    /// This is what it is.
    Label(u8),
    /// It is to be forgotten.
    Forget,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SpamEvent {
    pub(super) kind: Kind,
    /// The message's key.
    pub(super) id: u64,
    pub(super) id_name: NameRef,
    /// The tenant's key; 0 is none.
    pub(super) tenant: u64,
    /// Its slot of the table [`super::TENANTS`].
    pub(super) tenant_slot: u32,
    /// The record as it came, key and value, of an event that may yet be refused.
    pub(super) record: [NameRef; 2],
    /// Where actions begin for its tenant.
    pub(super) thresholds: Thresholds,
    /// The list that it is on, and the pattern.
    pub(super) listed: Option<(List, ListKind, NameRef)>,
    /// Tells texts apart.
    pub(super) fingerprint: u32,
    pub(super) offset: u64,
    /// The record's time in seconds since 1970.
    pub(super) seconds: u32,
    /// How long it took to find its features.
    pub(super) extraction_seconds: f32,
    /// Where its features are.
    pub(super) features: Features,
    /// Of the tables [`super::REMEMBERED`] and, where only a label has come, [`super::FEATURES`].
    pub(super) slots: [u32; 2],
}

/// Features of an event, among the words of its batch: the features, and room for the slots of their weights
/// and, of a tenant's message, of their copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Features {
    start: u32,
    slots_start: u32,
    /// 0 where there are none.
    copies_start: u32,
    count: u32,
}

impl Features {
    /// Appends features of which each gets room for a slot, or two.
    pub(super) fn append(words: &mut Vec<u32>, features: &[u32], copies: bool) -> Self {
        let start = words.len();
        words.extend_from_slice(features);
        Self::since(words, start, copies)
    }

    /// Those from `start` to the end of `words`, of which each gets room for a slot, or two.
    pub(super) fn since(words: &mut Vec<u32>, start: usize, copies: bool) -> Self {
        let (slots_start, count) = (words.len(), words.len() - start);
        words.resize(slots_start + count * if copies { 2 } else { 1 }, 0);
        let copies_start = if copies { (slots_start + count) as u32 } else { 0 };
        Self { start: start as u32, slots_start: slots_start as u32, copies_start, count: count as u32 }
    }

    /// The first `count` of them.
    pub(super) fn first(self, count: usize) -> Self {
        Self { count: self.count.min(count as u32), ..self }
    }

    pub(super) fn len(self) -> usize {
        self.count as usize
    }

    /// The features, rising.
    pub(super) fn of(self, words: &[u32]) -> &[u32] {
        &words[self.start as usize..][..self.len()]
    }

    /// The slots of their weights.
    pub(super) fn slots(self, words: &[u32]) -> &[u32] {
        &words[self.slots_start as usize..][..self.len()]
    }

    /// The slots of their copies' weights; none of a message of no tenant.
    pub(super) fn copies(self, words: &[u32]) -> &[u32] {
        if self.copies_start == 0 { &[] } else { &words[self.copies_start as usize..][..self.len()] }
    }

    /// Sets each one's slot to what `pull` gives for the feature, and its copy's to what it gives for what `copy` makes of it.
    pub(super) fn pull(self, words: &mut [u32], copy: impl Fn(u32) -> u32, mut pull: impl FnMut(u32) -> u32) {
        let (features, slots) = words.split_at_mut(self.slots_start as usize);
        let features = &features[self.start as usize..][..self.len()];
        for (slot, &feature) in slots[..self.len()].iter_mut().zip(features) {
            *slot = pull(feature);
        }
        if self.copies_start > 0 {
            let copies = &mut slots[(self.copies_start - self.slots_start) as usize..][..self.len()];
            for (slot, &feature) in copies.iter_mut().zip(features) {
                *slot = pull(copy(feature));
            }
        }
    }
}

/// Makes events of messages, features and all: on the thread that reads, beside the one that learns.
#[derive(Clone, Debug)]
pub struct SpamDecoder {
    mapping: Arc<MessageMapping>,
    extractor: ContentExtractor,
    classes: Classes,
    policy: Policy,
    policies: Arc<PolicyBook>,
    hash_seed: u64,
}

impl InputModel for SpamModel {
    type Decoder = SpamDecoder;

    fn decoder(&self) -> SpamDecoder {
        let (mapping, extractor) = (Arc::clone(&self.mapping), ContentExtractor::new(self.settings.text));
        SpamDecoder {
            mapping,
            extractor,
            classes: self.settings.learning.classes.clone(),
            policy: self.settings.policy,
            policies: Arc::clone(&self.policies),
            hash_seed: self.settings.hash_seed(),
        }
    }
}

/// The class of a label. The mapping lets no other labels through than the model has.
fn class(classes: &Classes, label: Label) -> Result<u8, Reject> {
    let unknown = || {
        Reject::new(Reason::UnknownLabel, "label", format!("is \"{}\", which is none of the model's", label.as_str()))
    };
    classes.class(label).ok_or_else(unknown)
}

/// What came, which is a few bytes of a label alone. A key that is no text is left out.
fn as_text(bytes: Option<&[u8]>) -> &str {
    bytes.and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// What an event says, as far as it matters here.
struct Said<'a> {
    id: Id<'a>,
    text: Option<Cow<'a, str>>,
    kind: Kind,
    tenant: Option<Id<'a>>,
    sender: Option<Id<'a>>,
    content_type: Option<Id<'a>>,
}

fn read<'a>(mapping: &'a MessageMapping, classes: &Classes, input: Input<'a>) -> Result<Said<'a>, Reject> {
    match mapping.parse(input.key, input.payload)? {
        MessageEvent::Message { id, text, label, tenant, sender, content_type, .. } => {
            let label = label.map(|label| class(classes, label)).transpose()?;
            let kind = match (&text, label) {
                (Some(_), label) => Kind::Text(label),
                (None, Some(label)) => Kind::Label(label),
                // The parser takes no message with neither.
                (None, None) => Kind::Forget,
            };
            Ok(Said { id, text, kind, tenant, sender, content_type })
        }
        MessageEvent::Forget { id } => {
            Ok(Said { id, text: None, kind: Kind::Forget, tenant: None, sender: None, content_type: None })
        }
    }
}

impl Decoder<SpamEvent> for SpamDecoder {
    fn decode(&mut self, input: Input<'_>, batch: &mut Batch<SpamEvent>) -> Result<(), Reject> {
        let Said { id, text, kind, tenant, sender, content_type } = read(&self.mapping, &self.classes, input)?;
        let judged = Listable { id: &id, sender: sender.as_deref(), text: text.as_deref().unwrap_or_default() };
        let grounds = match kind {
            Kind::Text(_) => self.policy.grounds(&self.policies, tenant.as_deref(), judged),
            Kind::Label(_) | Kind::Forget => Grounds { thresholds: self.policy.thresholds, reason: None },
        };
        let listed = |ListReason { list, kind, pattern }: ListReason| (list, kind, batch.names.push(&pattern));
        let listed = grounds.reason.map(listed);
        let record = match kind {
            Kind::Label(_) => [input.key, input.payload].map(|bytes| batch.names.push(as_text(bytes))),
            Kind::Text(_) | Kind::Forget => Default::default(),
        };
        let began = Instant::now();
        let content = text.as_deref().map(|text| Content::new(text, content_type.as_deref()));
        let features = content.map(|content| self.extractor.extract(content).slots).unwrap_or_default();
        batch.events.push(SpamEvent {
            kind,
            id: message_key(self.hash_seed, tenant.as_deref(), &id),
            tenant: tenant_key(self.hash_seed, tenant.as_deref()),
            tenant_slot: 0,
            id_name: batch.names.push(&id),
            record,
            thresholds: grounds.thresholds,
            listed,
            fingerprint: text.as_ref().map_or(0, |text| weir_wire::key(self.hash_seed, text) as u32),
            offset: input.offset,
            seconds: (input.timestamp_ms / 1_000).clamp(0, u32::MAX.into()) as u32,
            extraction_seconds: began.elapsed().as_secs_f32(),
            features: Features::append(&mut batch.words, features, tenant.is_some()),
            slots: [0; 2],
        });
        Ok(())
    }
}
