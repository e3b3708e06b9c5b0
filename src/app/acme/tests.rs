//! The book between replicas, without an authority.

use tempfile::TempDir;

use super::book::AcmeAccount;
use super::*;
use crate::base::clock::{Clock, ManualClock};
use crate::base::secret::Secret;
use crate::server::certificates::Files;
use crate::server::tls;
use crate::store::memory::Memory;
use crate::store::seal::Sealer;

const DIRECTORY: &str = "https://authority.example/directory";

/// A replica with a state folder of its own.
struct Replica {
    folder: TempDir,
    orders: Arc<Orders>,
    known: Known,
}

impl Replica {
    fn new(store: &Arc<Memory>, secrets: &[u8], clock: &Arc<ManualClock>) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), store, secrets, clock)
    }

    fn in_folder(
        folder: TempDir,
        store: &Arc<Memory>,
        secrets: &[u8],
        clock: &Arc<ManualClock>,
    ) -> Self {
        let path = folder.path().join(super::super::state::ISSUED);
        let files = Files {
            certificate: path.clone(),
            key: path,
            ocsp_staple: None,
            may_be_missing: true,
            source: String::new(),
        };
        let certificates = Arc::new(Certificates::open(vec![files]).unwrap());
        let secrets = secrets.iter().map(|byte| Secret::new(vec![*byte; 32])).collect();
        let record = SharedRecord::new(Arc::clone(store) as _, Sealer::new(secrets), RECORD);
        let settings = Settings {
            directory: DIRECTORY.to_owned(),
            contacts: Vec::new(),
            names: vec!["a.example".to_owned()],
            profile: None,
            external_account: None,
            tls: tls::client(rustls::RootCertStore::empty(), None).unwrap(),
        };
        let state = State::new(Some(folder.path().to_owned()));
        let clock = Arc::clone(clock) as SharedClock;
        let orders =
            Orders::new(settings, (Some(record), state), certificates, (clock, Arc::default()));
        let known = Known { book: orders.copy(), ..Known::default() };
        Self { folder, orders, known }
    }

    /// Reads what others wrote, and serves with it.
    async fn reads(&mut self) -> Result<(), BookError> {
        self.orders.read(&mut self.known, self.orders.clock.now()).await?;
        self.orders.take_in(&self.known.book).await
    }

    /// Notes an account and a certificate, as after an order.
    async fn notes(&mut self, thumbprint: &str) {
        let now = self.orders.clock.now();
        let made = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let pem = format!("{}{}", made.cert.pem(), made.signing_key.serialize_pem());
        let dates = (now, later(now, Duration::from_secs(90 * 24 * 3600)));
        let issued = Issued::new(self.orders.wanted(), pem, dates, now);
        let account = AcmeAccount {
            directory: DIRECTORY.to_owned(),
            credentials: String::new(),
            thumbprint: thumbprint.to_owned(),
            made: now,
        };
        self.orders
            .note(&mut self.known, |book| {
                book.keep_account(account.clone());
                book.take_in(issued.clone());
            })
            .await
            .unwrap();
    }

    fn thumbprint(&self) -> Option<&str> {
        self.known.book.account_at(DIRECTORY).map(|account| &*account.thumbprint)
    }

    fn serves(&self) -> usize {
        self.orders.certificates.status().len()
    }
}

fn world() -> (Arc<Memory>, Arc<ManualClock>) {
    let now = Time::from_second(1_900_000_000).unwrap();
    (Arc::new(Memory::new(100)), Arc::new(ManualClock::at(now)))
}

#[tokio::test]
async fn what_one_notes_all_serve_and_put_back_when_the_store_lost_it() {
    let (store, clock) = world();
    let (mut one, mut two) =
        (Replica::new(&store, &[1], &clock), Replica::new(&store, &[1], &clock));
    assert_eq!(two.known.book.due(&two.orders.wanted(), clock.now()), Due::Order);
    one.notes("first").await;
    two.reads().await.unwrap();
    assert_eq!((two.thumbprint(), two.serves()), (Some("first"), 1));
    assert_eq!(two.known.book.due(&two.orders.wanted(), clock.now()), Due::Nothing);
    // Another store has nothing of it, as one that was lost.
    let (other, _) = world();
    let mut three = Replica::in_folder(two.folder, &other, &[1], &clock);
    assert_eq!(three.thumbprint(), Some("first"), "there is a copy in the folder");
    three.reads().await.unwrap();
    let mut four = Replica::new(&other, &[1], &clock);
    four.reads().await.unwrap();
    assert_eq!((four.thumbprint(), four.serves()), (Some("first"), 1));
}

#[tokio::test]
async fn of_two_books_the_later_one_stays() {
    let (store, clock) = world();
    let mut one = Replica::new(&store, &[1], &clock);
    one.notes("first").await;
    let old = one.known.book.clone();
    one.notes("second").await;
    // A backup was brought back.
    let was = one.known.seen.clone().unwrap();
    one.orders.store.write(&was, &old, clock.now()).await.unwrap().unwrap();
    let mut two = Replica::new(&store, &[1], &clock);
    two.reads().await.unwrap();
    assert_eq!(two.thumbprint(), Some("first"));
    one.reads().await.unwrap();
    assert_eq!(one.thumbprint(), Some("second"));
    two.reads().await.unwrap();
    assert_eq!(two.thumbprint(), Some("second"));
}

#[tokio::test]
async fn secrets_rotate_before_the_book_changes() {
    let (store, clock) = world();
    let mut one = Replica::new(&store, &[1], &clock);
    one.notes("first").await;
    let mut both = Replica::new(&store, &[2, 1], &clock);
    both.reads().await.unwrap();
    let mut new = Replica::new(&store, &[2], &clock);
    new.reads().await.unwrap();
    assert_eq!(new.thumbprint(), Some("first"));
    // Whoever starts without the old one leaves no copy that it opens.
    let mut old = Replica::new(&store, &[1], &clock);
    let shut = old.reads().await.unwrap_err();
    assert!(matches!(shut, BookError::Shut(_)), "{shut}");
    assert!(shut.to_string().contains("{used:"), "{shut}");
}

#[tokio::test]
async fn a_file_that_is_gone_or_damaged_is_written_anew() {
    let (store, clock) = world();
    let mut one = Replica::new(&store, &[1], &clock);
    one.notes("first").await;
    one.reads().await.unwrap();
    assert_eq!(one.serves(), 1);
    let file = one.folder.path().join(super::super::state::ISSUED);
    let good = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    one.reads().await.unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), good);
    crate::base::private::write(&file, b"damaged").unwrap();
    let mut again = Replica::in_folder(one.folder, &store, &[1], &clock);
    assert_eq!(again.serves(), 0, "it is taken for missing");
    again.reads().await.unwrap();
    assert_eq!(again.serves(), 1);
}

#[tokio::test]
async fn whoever_is_at_it_is_so_alone_and_ends_nobody_elses_turn() {
    let (store, clock) = world();
    let (mut one, mut two) =
        (Replica::new(&store, &[1], &clock), Replica::new(&store, &[1], &clock));
    let until = later(clock.now(), LEASE);
    let busy = Busy { owner: one.orders.owner.clone(), until };
    one.orders.write(&mut one.known, |book| book.busy = Some(busy.clone())).await.unwrap();
    two.reads().await.unwrap();
    assert_eq!(two.known.book.due(&two.orders.wanted(), clock.now()), Due::Nothing);
    two.orders.note(&mut two.known, |_| {}).await.unwrap();
    assert!(two.known.book.busy.is_some());
    one.orders.note(&mut one.known, |_| {}).await.unwrap();
    assert!(one.known.book.busy.is_none());
}
