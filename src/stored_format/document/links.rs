//! The links of a request with others: those of compensations, and those of resubmissions, which came with version 2.

use super::charge;
use super::kinds::StoredRelation;
use super::read::{In, Read};
use super::reader::Reader;
use super::writer::{Writer, Written};
use crate::request::{Execution, ExecutionLink, LinkRelation, Resubmission};
use crate::stored_format::gates::Field;

/// The links as they were read.
#[derive(Default)]
pub(super) struct Links {
    pub(super) of_compensations: Vec<ExecutionLink>,
    pub(super) resubmits: Option<Resubmission>,
    pub(super) resubmitted_as: Option<Resubmission>,
}

pub(super) fn write<'d>(out: &mut Writer<'d>, execution: &'d Execution) -> Written {
    let resubmissions =
        [(StoredRelation::Resubmits, &execution.resubmits), (StoredRelation::ResubmittedAs, &execution.resubmitted_as)];
    let resubmissions = resubmissions.into_iter().filter_map(|(relation, link)| Some((relation, link.as_ref()?)));
    out.count(execution.links.len() + resubmissions.clone().count(), charge::LINK)?;
    for link in &execution.links {
        out.kind(StoredRelation::from(link.relation))?;
        out.text(link.request.as_str())?;
        out.kind(link.kind)?;
        out.kind(link.trigger)?;
        out.field(Field::Batch, link.batch.as_ref().map(AsRef::as_ref), Writer::optional_text)?;
        out.time(link.at)?;
    }
    for (relation, link) in resubmissions {
        out.kind(relation)?;
        out.text(link.request.as_str())?;
        out.time(link.at)?;
    }
    Ok(())
}

pub(super) fn read(input: In<'_, '_>) -> Read<Links> {
    let mut links = Links::default();
    for _ in 0..input.count(charge::LINK)? {
        let relation = input.kind::<StoredRelation>()?;
        let place = match relation.of_compensation() {
            Some(relation) => {
                links.of_compensations.push(of_compensation(input, relation)?);
                continue;
            }
            None if relation == StoredRelation::Resubmits => &mut links.resubmits,
            None => &mut links.resubmitted_as,
        };
        if place.replace(Resubmission { request: input.name()?, at: input.time()? }).is_some() {
            return Err(input.fail("there are two links of one resubmission"));
        }
    }
    Ok(links)
}

fn of_compensation(input: In<'_, '_>, relation: LinkRelation) -> Read<ExecutionLink> {
    Ok(ExecutionLink {
        relation,
        request: input.name()?,
        kind: input.kind()?,
        trigger: input.kind()?,
        batch: input.field(Field::Batch, Reader::optional_name)?,
        at: input.time()?,
    })
}

impl From<LinkRelation> for StoredRelation {
    fn from(relation: LinkRelation) -> Self {
        match relation {
            LinkRelation::Compensates => Self::Compensates,
            LinkRelation::CompensatedBy => Self::CompensatedBy,
            LinkRelation::BeingCompensatedBy => Self::BeingCompensatedBy,
            LinkRelation::WasToBeCompensatedBy => Self::WasToBeCompensatedBy,
        }
    }
}

impl StoredRelation {
    const fn of_compensation(self) -> Option<LinkRelation> {
        match self {
            Self::Compensates => Some(LinkRelation::Compensates),
            Self::CompensatedBy => Some(LinkRelation::CompensatedBy),
            Self::BeingCompensatedBy => Some(LinkRelation::BeingCompensatedBy),
            Self::WasToBeCompensatedBy => Some(LinkRelation::WasToBeCompensatedBy),
            Self::Resubmits | Self::ResubmittedAs => None,
        }
    }
}
