//! What the ladder makes of return types.

use super::*;

/// Neither `Clone` nor made from our error.
#[derive(Debug)]
struct Opaque;

/// Made from our error, but not `Clone`.
#[derive(Debug)]
struct Text(String);

impl From<Error> for Text {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

type Alias<T> = Result<T, String>;

#[test]
fn a_result_is_told_through_an_alias() {
    let kit = Returns::<Alias<Vec<u8>>>::NEW.shape().errors().stored();
    assert_eq!((kit.split)(Ok(vec![1])), Ok(vec![1]));
    assert_eq!((kit.split)(Err("no".into())), Err(Err("no".into())));
    assert_eq!((kit.wrap)(vec![2]), Ok(vec![2]));
    assert_eq!((kit.peek)(&Ok(vec![3])), Some(&vec![3]));
    assert!(kit.codec.is_some() && !kit.stays);
}

#[test]
fn a_clonable_error_is_shared_as_itself() {
    let kit = Returns::<Alias<u8>>::NEW.shape().errors().local();
    let shared = (kit.share)(&Err("no".into()));
    assert_eq!((kit.restore)(&shared), Some(Err("no".into())));
    assert!(
        (kit.restore)(&Failure::Message("no".into())).is_none(),
        "`String` has no `From`"
    );
    assert!((kit.restore)(&(kit.share)(&Ok(1))).is_none());
}

#[test]
fn an_error_made_from_ours_carries_the_leaders_message() {
    let kit = Returns::<Result<u8, Text>>::NEW.shape().errors().local();
    let shared = (kit.share)(&Err(Text("no".into())));
    let restored = (kit.restore)(&shared).unwrap().unwrap_err();
    assert_eq!(
        restored.0,
        "the call that was computing this value failed: no"
    );
}

#[test]
fn an_error_that_is_both_is_cloned_and_restored_from_a_text() {
    let kit = Returns::<Result<u8, Error>>::NEW.shape().errors().local();
    let shared = (kit.share)(&Err(Error::new(ErrorKind::Store, "away")));
    assert_eq!(
        (kit.restore)(&shared).unwrap().unwrap_err().kind(),
        ErrorKind::Store
    );
    let restored = (kit.restore)(&Failure::Message("away".into()))
        .unwrap()
        .unwrap_err();
    assert_eq!(restored.kind(), ErrorKind::LeaderFailed);
}

#[test]
fn an_error_that_is_neither_stays_with_its_leader() {
    let kit = Returns::<Result<u8, Opaque>>::NEW.shape().errors().local();
    assert!(matches!((kit.share)(&Err(Opaque)), Failure::Opaque));
    let kit = Returns::<Result<u8, &str>>::NEW.shape().unshared().local();
    assert!(matches!((kit.share)(&Err("borrowed")), Failure::Opaque));
}

#[test]
fn what_is_copied_or_counted_stays_under_the_guard() {
    assert!(Returns::<u64>::NEW.shape().errors().stored().stays);
    assert!(Returns::<Arc<str>>::NEW.shape().errors().stored().stays);
    assert!(
        Returns::<Result<Arc<Vec<u8>>, Opaque>>::NEW
            .shape()
            .errors()
            .local()
            .stays
    );
    assert!(!Returns::<[u64; 32]>::NEW.shape().errors().stored().stays);
    assert!(!Returns::<String>::NEW.shape().errors().stored().stays);
}

#[test]
fn a_result_behind_a_type_parameter_is_never_stored() {
    fn kit<R: Cacheable>() -> Kit<R, R> {
        Returns::<R>::NEW.shape().errors().local()
    }
    let kit_of_result = kit::<Result<u8, String>>();
    assert_eq!((kit_of_result.split)(Ok(1)), Err(Ok(1)));
    assert_eq!((kit_of_result.peek)(&Ok(1)), None);
    assert_eq!((kit::<u8>().split)(1), Ok(1));
}

#[test]
fn only_an_err_is_not_a_success() {
    let value = Returns::<Alias<u8>>::NEW.shape().value();
    assert_eq!((value(&Ok(1)), value(&Err("no".into()))), (Some(&1), None));
    assert!(Returns::<Option<u8>>::NEW.shape().value()(&None).is_some());
}

#[test]
fn another_type_is_an_error_not_a_panic() {
    let vtable = Vtable::of::<String>();
    let error = (vtable.encode)(&7_u8, Codec::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Codec);
    assert_eq!((vtable.type_name)(), "alloc::string::String");
}

#[test]
fn what_a_sync_function_returns_is_told_as_any_other() {
    fn shape<R: 'static>(_: &Returns<R>) -> &'static str {
        std::any::type_name::<R>()
    }
    let fallible = Returned::<Alias<u8>>::NEW.returned();
    assert_eq!(shape(&fallible), std::any::type_name::<Alias<u8>>());
    let _: Fallible<u8, String> = fallible.shape();
    let _: Whole<Option<u8>> = Returned::<Option<u8>>::NEW.returned().shape();
    let _: Whole<_> = Returned::<std::pin::Pin<Box<u8>>>::NEW.returned().shape();
}
