//! Putting a piece: what it makes and changes is kept with it in one transaction, or nothing is.

use pmks_driver::Credential;
use pmks_model::{Failure, FailureKind, Findings, refusal_of_connection, refusal_of_ours};
use pmks_store::{Connection, ConnectionUpdate, NewConnection, PieceKind, PutPiece};
use uuid::Uuid;

use super::compose::{Known, Lacking};
use super::{Piece, Pieces, everywhere, word};
use crate::connections::{sealed, update_of_pieces};
use crate::failure::{check, conflict, of_store, stale};
use crate::pmks::Shared;
use crate::records::stored;
use crate::{Caller, Result};

/// How often a piece is put once more that met another one.
const MOST_PUT_AGAIN: u32 = 20;

/// A connection as it was read: its name, and its uid and revision where it stood.
type AsRead = (String, Option<(Uuid, i64)>);

/// What comes of putting a piece.
struct Judged {
    made: Vec<NewConnection>,
    changed: Vec<(String, i64, ConnectionUpdate)>,
    read: Vec<AsRead>,
}

impl Pieces<'_> {
    /// Puts a piece, in the place of any of its kind and name. Connections of which all pieces are there by now are
    /// made; those that stand follow.
    ///
    /// # Errors
    /// `NotAllowed`; of a connection that would be made or changed what [`crate::Connections::create`] and
    /// [`crate::Connections::update`] answer, but `InvalidRequest` of a secret that the cloud refuses: nothing is put then.
    pub async fn put(self, caller: &Caller, piece: Piece, credential: Option<Credential>) -> Result<()> {
        let mut more = MOST_PUT_AGAIN;
        loop {
            match self.put_once(caller, piece.clone(), credential.clone()).await {
                // Somebody else made or changed one of the connections meanwhile: what is put last holds.
                Err(failure)
                    if more > 0
                        && matches!(failure.kind, FailureKind::AlreadyExists | FailureKind::Stale) =>
                {
                    more -= 1;
                }
                ended => return ended.map_err(of_what_was_put),
            }
        }
    }

    /// Finds out whether [`Self::put`] would put it once those others are put. Puts nothing.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub async fn plan_put(
        self,
        caller: &Caller,
        others: Vec<(Piece, Option<Credential>)>,
        piece: Piece,
        credential: Option<Credential>,
    ) -> Result<()> {
        everywhere(caller)?;
        let mut known = Known::clone(&*Known::read(&self.0.shared).await?);
        for (other, credential) in others {
            known.put(other, credential);
        }
        self.judged(caller, &mut known, &piece, credential).await.map(drop).map_err(of_what_was_put)
    }

    async fn put_once(self, caller: &Caller, piece: Piece, credential: Option<Credential>) -> Result<()> {
        let shared = &self.0.shared;
        everywhere(caller)?;
        let mut known = Known::clone(&*Known::read(shared).await?);
        let Some(Judged { made, changed, read }) =
            self.judged(caller, &mut known, &piece, credential.clone()).await?
        else {
            return Ok(());
        };
        let (kind, kept) = (word(piece.holds.kind()), piece.clone());
        let audit = shared.audit(caller, &format!("{kind}.put"), format!("{kind} {}", piece.name));
        let put = PutPiece {
            kind: piece.holds.kind(),
            content: stored(&piece.holds)?,
            name: piece.name,
            provider: piece.provider,
            credential: credential.as_ref().map(sealed).transpose()?.flatten(),
            made,
            changed,
        };
        let _alone = shared.pieces.lock().await;
        shared.as_read(&known, kept, &read).await?;
        shared.store.put_piece(put, audit).await.map_err(of_store)
    }

    /// What comes of putting a piece among those that are known, or why it is refused; `None`: it changes nothing.
    async fn judged(
        self,
        caller: &Caller,
        known: &mut Known,
        piece: &Piece,
        credential: Option<Credential>,
    ) -> Result<Option<Judged>> {
        let shared = &self.0.shared;
        // What repeats it changes nothing: no key is needed, and none is refused.
        let caller = &Caller { idempotency: None, ..caller.clone() };
        // Of a connection also while some of its pieces are not there: nobody who puts one of those could mend it.
        let mut findings = Findings::default();
        findings.add_some(
            "name",
            match piece.holds.kind() {
                PieceKind::Connection => refusal_of_connection(&piece.name),
                PieceKind::Driver | PieceKind::Credential | PieceKind::Region => refusal_of_ours(&piece.name),
            },
        );
        check(findings)?;
        shared.refuse_name_of_provider(piece)?;
        let shown = shared.shown_otherwise(known).await?;
        if shown.is_so(piece)? {
            return Ok(None);
        }
        shown.refuse_name_of_another(piece)?;
        shown.refuse_parts_of_another(&piece.holds)?;
        known.put(piece.clone(), credential);
        let (mut made, mut changed, mut read) = (Vec::new(), Vec::new(), Vec::new());
        for name in known.connections_of(piece.holds.kind(), &piece.name) {
            let stands = shared.store.connection(&name).await.map_err(of_store)?;
            read.push((name.clone(), stands.as_ref().map(|stands| (stands.uid, stands.revision))));
            match (known.connection(shared, &name).await, stands) {
                (Ok(asked), None) => {
                    let specification = shared.asked_for(caller, &asked).await?;
                    made.push(NewConnection {
                        uid: pmks_store::new_uid(shared.clock.wall()),
                        name: asked.name.clone(),
                        provider: asked.provider.clone(),
                        specification: stored(&specification)?,
                        account: None,
                        credential: sealed(&asked.credential)?,
                    });
                }
                (Ok(asked), Some(stands)) => {
                    let update = update_of_pieces(shared, caller, &stands, asked).await;
                    let update = shared.unless_gone(&stands, update).await?;
                    changed.extend(update.map(|update| (name, stands.revision, update)));
                }
                (Err(Lacking::Piece(_)), None) => {}
                (Err(Lacking::Piece(failure)), Some(_)) => {
                    return Err(conflict(format!("connection {name:?} stands, and {}", failure.detail)));
                }
                (Err(Lacking::Failed(failure)), _) => return Err(failure),
            }
        }
        Ok(Some(Judged { made, changed, read }))
    }
}

impl Shared {
    /// Refuses what was made ready for pieces and connections that are others by now.
    async fn as_read(&self, known: &Known, put: Piece, read: &[AsRead]) -> Result<()> {
        let mut now = Known::clone(&*Known::read(self).await?);
        let (kind, name) = (put.holds.kind(), put.name.clone());
        now.put(put, None);
        let mut same = now.connections_of(kind, &name).len() == read.len();
        for (connection, stood) in read {
            let stands = self.store.connection(connection).await.map_err(of_store)?;
            same &= *stood == stands.map(|stands| (stands.uid, stands.revision));
            same &= now.made_of(connection) == known.made_of(connection);
        }
        if same { Ok(()) } else { Err(stale(word(kind), &name)) }
    }

    /// What went wrong while a connection was read that is gone by now means nothing.
    async fn unless_gone<T>(&self, connection: &Connection, read: Result<T>) -> Result<T> {
        let Err(failure) = read else { return read };
        let now = self.store.connection(&connection.name).await.map_err(of_store)?;
        let stands = now.is_some_and(|now| now.uid == connection.uid);
        Err(if stands { failure } else { stale("connection", &connection.name) })
    }
}

/// A secret that the cloud does not take, or who may not even ask whose it is, is what was put, now or before: nothing is
/// wrong between here and the cloud.
fn of_what_was_put(failure: Box<Failure>) -> Box<Failure> {
    match failure.kind {
        FailureKind::Unauthenticated | FailureKind::Forbidden => {
            Box::new(Failure { kind: FailureKind::InvalidRequest, ..*failure })
        }
        _ => failure,
    }
}
