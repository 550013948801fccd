//! Golden expansions: what some functions become, printed and compared with the files in
//! `tests/expand/`. Set `UPDATE_EXPECT=1` to write the files anew, and review them as code.

use std::fmt::Write as _;
use std::{env, fs};

use proc_macro2::TokenStream;

use crate::repository;

/// Where they are.
const FOLDER: &str = "tests/expand";

/// The name of a file, and the function whose expansion it holds.
const CASES: &[(&str, &str)] = &[
    (
        "two_arguments",
        r#"#[cached(ttl = 1800, key = "book:{id}", tags = ["books", "book:{id}"], singleflight)]
async fn book(db: &Db, id: i64) -> Result<Book, DbError> {
    db.query(id).await
}"#,
    ),
    (
        "default_key",
        r#"#[cached]
pub async fn page(genre: &str, (from, to): (u32, u32), #[cfg(feature = "x")] x: X) -> Vec<Book> {
    todo()
}"#,
    ),
    (
        "skip",
        r#"#[cached(ttl = "90s", skip(self, db))]
async fn total(&self, db: &Db, shop: u32) -> u64 {
    0
}"#,
    ),
    (
        "key_expression",
        "#[cached(ttl = HOUR, key = (id, page + 1))]
async fn reviews(id: i64, page: u32) {}",
    ),
    (
        "store_if",
        r#"#[cached(ttl = "1500ms", key = "{id}", store_if = Option::is_some)]
async fn find(id: i64) -> Option<Book> {
    None
}"#,
    ),
    (
        "store_if_borrows",
        r#"#[cached(key = "{name}", store_if = |found| found.len() <= limit.get())]
async fn search(name: String, limit: Limit) -> Vec<Book> {
    all(&name)
}"#,
    ),
    (
        "result_tags",
        r#"#[cached(ttl = 60, key = "{id}", result_tags = |book| ["author:{book.author}", book.genre()])]
async fn book(id: i64) -> Result<Book, DbError> {
    load(id).await
}"#,
    ),
    (
        "result_tags_borrow",
        r#"#[cached(key = "{name}", store_if = Option::is_some, result_tags = labels(&shop))]
async fn find(shop: Shop, name: &str) -> Option<Book> {
    shop.find(name).await
}"#,
    ),
    (
        "policy",
        r#"#[cached(ttl = 60, key = "{id}:{name}", policy = SHOP)]
async fn book(db: &Db, id: i64, mut name: &str, tags: Option<&str>, traced: bool) -> Result<Book, DbError> {
    name = name.trim();
    db.query(id, name, tags).await
}"#,
    ),
    (
        "policy_self",
        r#"#[cached(ttl = 60, key = "{id}", policy = self.policy)]
async fn book(&self, #[cfg(feature = "x")] x: &X, id: i64) -> Book {
    self.load(id, || self.shop.name()).await
}"#,
    ),
    (
        "policy_async_trait",
        r#"#[cached(ttl = 60, key = "{id}:{name}", policy = SHOP)]
fn book<'life0, 'life1, 'async_trait>(
    &'life0 self,
    id: i64,
    name: &'life1 str,
) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Book> + ::core::marker::Send + 'async_trait>>
where
    'life0: 'async_trait,
    'life1: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        let __self = self;
        let id = id;
        let name = name;
        let __ret: Book = { __self.load(id).await };
        __ret
    })
}"#,
    ),
    (
        "policy_closures",
        r#"#[cached(
    key = "{id}",
    policy = Policy::new().stale_for(MINUTE),
    store_if = |book| !book.is_draft(),
    ttl = |book| self.ttl(book),
    result_tags = |book| ["author:{book.author}", "shop:{shop.name}"],
)]
async fn book(&self, shop: &Shop, id: i64) -> Result<Book, DbError> {
    shop.load(id).await
}"#,
    ),
    (
        "policy_sync",
        r"#[cached(ttl = 60, policy = STEADY)]
fn size(path: &Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.len())
}",
    ),
    (
        "ttl_closure",
        r#"#[cached(key = "{id}", tags = ["books"], ttl = |found| if found.is_none() { SECOND } else { HOUR })]
async fn find(id: i64) -> Option<Book> {
    None
}"#,
    ),
    (
        "unshared_error",
        r#"#[cached(key = "{name}", local)]
async fn parse<'a>(name: &'a str) -> Result<Book, ParseError<'a>> {
    name.parse()
}"#,
    ),
    (
        "async_trait",
        r#"#[cached(ttl = 60, key = "{self.name}:{id}")]
fn book<'life0, 'async_trait>(
    &'life0 self,
    id: i64,
) -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Book> + ::core::marker::Send + 'async_trait>>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
        let __self = self;
        let id = id;
        let __ret: Book = { __self.load(id).await };
        __ret
    })
}"#,
    ),
    (
        "every_option",
        r#"#[cached(
    ttl = "1h30m",
    key = "{self.shop}/{r#type}",
    tags = ["{{all}}", format!("{}", r#type), "type:{type}"],
    namespace = "books",
    version = 3,
    singleflight(lease = "5s", wait = "1m"),
    store_if = |v| !v.is_empty(),
    result_tags = |v| ["first:{v.0}/{type}"],
    local,
    cache = self.cache,
    crate = crate::reexported,
)]
#[inline]
/// Documented.
pub(crate) async fn list<T>(&self, r#type: T) -> Vec<T>
where
    T: Display,
{
    #![warn(unused)]
    vec![r#type]
}"#,
    ),
    (
        "invalidates",
        r#"#[invalidates(tags = ["books", "book:{id}"])]
async fn rename(db: &Db, id: i64, title: &str) -> Result<(), DbError> {
    db.rename(id, title).await
}"#,
    ),
    (
        "invalidates_impl_trait",
        r#"#[invalidates(tags = ["books"])]
fn add(title: &str) -> Result<(u16, impl IntoResponse), DbError> {
    insert(title)
}"#,
    ),
    (
        "invalidates_bare_impl_trait",
        r#"#[invalidates(tags = ["books"])]
async fn add(title: &str) -> impl IntoResponse {
    insert(title).await
}"#,
    ),
    (
        "invalidates_sync",
        r#"#[invalidates(tags = ["books"])]
fn add(title: &str) -> Result<u64, DbError> {
    insert(title)
}"#,
    ),
    (
        "invalidates_result_tags",
        r#"#[invalidates(tags = ["books"], result_tags = |book| ["author:{book.author}", "by:{user.name}"])]
async fn add(user: User, title: &str) -> Result<Book, DbError> {
    insert(title).await
}"#,
    ),
    (
        "invalidates_crash_safe",
        r#"#[invalidates(tags = ["books"], crash_safe(deadline = "1m", required))]
async fn reprice(factor: f64) -> Result<(), DbError> {
    update(factor).await
}"#,
    ),
    (
        "invalidates_every_option",
        r#"#[invalidates(
    tags = self.tags(),
    entries = [book(&self.db, id), self.page(1)],
    namespaces = ["lists"],
    when = before,
    cache = self.cache,
    crate = crate::reexported,
)]
async fn delete(&mut self, id: i64) {
    self.db.delete(id).await;
}"#,
    ),
    (
        "derive_key_part",
        r"#[derive(KeyPart)]
struct Filter<'a, T: Ord> {
    r#type: &'a str,
    values: Vec<T>,
    #[key(with = Shop::id)]
    shop: Shop,
    #[key(skip)]
    request: u64,
}",
    ),
    (
        "derive_key_part_enum",
        r"#[derive(KeyPart)]
enum Tree<T> {
    Empty,
    Leaf(T, u8),
    Inner { left: Box<Tree<T>>, right: Box<Tree<T>> },
}",
    ),
    (
        "derive_tag",
        r#"#[derive(Tag)]
enum Shop<'a, T> {
    Books,
    Book(i64),
    #[tag("author:{name.last}/{id}")]
    Author { name: &'a Name, id: T, _age: u8 },
}"#,
    ),
    (
        "derive_tag_every_option",
        r#"#[derive(Tag)]
#[tag("{{all}}", crate = crate::reexported)]
struct Everything(i64);"#,
    ),
];

#[test]
fn expansions_are_as_reviewed() {
    let Some(folder) = repository::folder(FOLDER) else {
        return;
    };
    let mut different = Vec::new();
    for (name, source) in CASES {
        let expanded = golden(source);
        let file = folder.join(name).with_extension("rs");
        if env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &expanded).expect("the file can be written");
        } else if fs::read_to_string(&file).unwrap_or_default() != expanded {
            different.push(format!("{}:\n{expanded}", file.display()));
        }
    }
    let different = different.join("\n");
    assert!(
        different.is_empty(),
        "run again with UPDATE_EXPECT=1 and review:\n{different}"
    );
}

#[test]
fn every_file_has_its_case() {
    let Some(folder) = repository::folder(FOLDER) else {
        return;
    };
    for entry in fs::read_dir(folder).expect("there is a folder") {
        let path = entry.expect("it can be read").path();
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or_default();
        assert!(
            CASES.iter().any(|(name, _)| *name == stem),
            "{} has no case",
            path.display()
        );
    }
}

#[test]
fn two_arguments_take_thirty_lines_at_most() {
    let expanded = shortened(CASES[0].1);
    let (register, rest) = expanded.split_once(");\n").expect("it registers first");
    let (signature, _) = register.split_once("p::register!(").expect("it does");
    // What is registered is data, as long as the options are.
    let lines = signature.lines().count() + rest.lines().count();
    assert!(lines <= 30, "{expanded}");
}

#[test]
fn paths_are_absolute() {
    for (name, source) in CASES {
        let expanded = printed(source);
        let facade = if name.ends_with("every_option") {
            "crate::reexported"
        } else {
            "::afresh"
        };
        let named = expanded.matches("__private").count();
        let absolute = expanded.matches(&format!("{facade}::__private::")).count();
        assert!(named == absolute && named > 0, "{name}: {expanded}");
        let core = expanded.matches("core::").count();
        assert_eq!(
            core,
            expanded.matches("::core::").count(),
            "{name}: {expanded}"
        );
    }
}

#[test]
fn crate_path_leaves_no_default() {
    for (name, source) in CASES
        .iter()
        .filter(|(name, _)| name.ends_with("every_option"))
    {
        assert!(
            !printed(source).contains("afresh"),
            "{name} names the default path"
        );
    }
}

#[test]
fn the_item_is_kept_where_it_is_wrong() {
    let item = "async fn book(id: i64) -> Book { load(id) }";
    let item: TokenStream = item.parse().expect("it is tokens");
    let attr = "nonsense = 1, ttl = 0".parse().expect("it is tokens");
    let expanded = crate::cached_tokens(attr, item.clone()).to_string();
    assert!(expanded.starts_with(&item.to_string()), "{expanded}");
    assert_eq!(expanded.matches("compile_error").count(), 2, "{expanded}");
}

/// The source as a comment, and its expansion.
fn golden(source: &str) -> String {
    let mut text = String::from(
        "//! The expansion (`p` is the hidden module, whose path is absolute) of:\n//!\n",
    );
    for line in source.lines() {
        writeln!(text, "//! {line}").expect("a string takes it");
    }
    text.push('\n');
    text.push_str(&shortened(source));
    text
}

/// The expansion with `p` for the hidden module, as one would write it by hand.
fn shortened(source: &str) -> String {
    let file = expanded(source).to_string();
    let hidden = ["crate :: reexported :: __private", ":: afresh :: __private"];
    let file = hidden
        .iter()
        .fold(file, |file, hidden| file.replace(hidden, "p"));
    prettyplease::unparse(&syn::parse_str(&file).expect("the expansion is an item"))
}

/// The expansion as it is.
fn printed(source: &str) -> String {
    prettyplease::unparse(&syn::parse2(expanded(source)).expect("the expansion is an item"))
}

/// The expansion of an item whose first attribute is ours.
fn expanded(source: &str) -> TokenStream {
    if let Some(item) = source.strip_prefix("#[derive(KeyPart)]") {
        return crate::derive::key_part(item.parse().expect("it is tokens"));
    }
    if let Some(item) = source.strip_prefix("#[derive(Tag)]") {
        return crate::derive::tag(item.parse().expect("it is tokens"));
    }
    let function: crate::func::Func = syn::parse_str(source).expect("a function");
    let (ours, others) = function.attrs.split_first().expect("an attribute");
    let attr = match &ours.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let (vis, sig, body) = (&function.vis, &function.sig, &function.body);
    let item = quote::quote!(#(#others)* #vis #sig #body);
    if ours.path().is_ident("cached") {
        crate::cached_tokens(attr, item)
    } else {
        crate::invalidates_tokens(attr, item)
    }
}
