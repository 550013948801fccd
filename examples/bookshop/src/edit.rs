//! The changes: rename, move to another genre, delete. Each names what it makes untrue, and
//! nothing more; no question of `shop` knows of them.

use afresh::invalidates;
use rusqlite::Transaction;

use crate::db::Db;
use crate::shop::{Book, ShopError, statistics};

/// Gives a book another title: its details, the lists of its genres, and whatever lists titles.
/// The numbers of the shop stay true.
#[invalidates(tags = shown_in(book))]
pub(crate) async fn rename(db: &Db, book: &Book, title: &str) -> Result<(), ShopError> {
    let (book, title) = (book.clone(), title.to_owned());
    db.trip(move |sql| {
        let transaction = sql.transaction()?;
        expect_shelves(&transaction, &book)?;
        transaction.execute(
            "UPDATE books SET title = ?2, folded = ?3 WHERE id = ?1",
            (book.id, &title, title.to_lowercase()),
        )?;
        Ok(transaction.commit()?)
    })
    .await
}

/// Moves a book from one genre to another: its details, those two lists, and the numbers.
#[invalidates(tags = ["book:{id}", "genre:{from}", "genre:{to}"], entries = [statistics(db)])]
pub(crate) async fn move_genre(db: &Db, id: i64, from: &str, to: &str) -> Result<(), ShopError> {
    let (from, to) = (from.to_owned(), to.to_owned());
    db.trip(move |sql| {
        let moved = sql.execute(
            "UPDATE OR REPLACE shelves SET genre = ?3 WHERE book = ?1 AND genre = ?2",
            (id, from, to),
        )?;
        if moved == 1 {
            Ok(())
        } else {
            Err(ShopError::Moved(id))
        }
    })
    .await
}

/// Takes a book out of the shop: everything that showed it or counted it.
#[invalidates(tags = shown_in(book), entries = [statistics(db)])]
pub(crate) async fn delete(db: &Db, book: &Book) -> Result<(), ShopError> {
    let book = book.clone();
    db.trip(move |sql| {
        let transaction = sql.transaction()?;
        expect_shelves(&transaction, &book)?;
        transaction.execute("DELETE FROM books WHERE id = ?1", [book.id])?;
        Ok(transaction.commit()?)
    })
    .await
}

/// The tags of all that shows a book's title.
pub(crate) fn shown_in(book: &Book) -> Vec<String> {
    let mut tags = vec![format!("book:{}", book.id), "titles".to_owned()];
    tags.extend(book.genres.iter().map(|genre| format!("genre:{genre}")));
    tags
}

/// Refuses a change of a book that is on other shelves than the caller saw: the tags of the
/// change were made from those, so the lists of the others would keep showing the old.
fn expect_shelves(transaction: &Transaction<'_>, book: &Book) -> Result<(), ShopError> {
    let mut shelves =
        transaction.prepare_cached("SELECT genre FROM shelves WHERE book = ?1 ORDER BY genre")?;
    let genres: Vec<String> = shelves
        .query_map([book.id], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    match genres.as_slice() {
        [] => Err(ShopError::NoSuchBook(book.id)),
        same if same == book.genres => Ok(()),
        _ => Err(ShopError::Moved(book.id)),
    }
}
