//! The expansion of the option `policy`. By its type, the runtime decides whether a compute may
//! outlive its caller; here each argument that the body may use is handed to it, so that it can be
//! owned where that is so, and lent to the body.

mod words;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::FnArg;
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::{Judged, at, block, hidden, private, relocated};
use crate::func::{Argument, Passed};
use crate::model::{Cached, Callable, Place, Policy};

/// The statements of a sync function, whose body stays where it is.
pub(super) fn blocking(policy: &Policy, place: &Place) -> TokenStream {
    let value = &policy.value;
    let span = at(value.span());
    let p = private(place, span);
    let (ruled, plan) = (hidden("policy"), hidden("plan"));
    quote_spanned! {span=>
        let #ruled = #p::policy(&(#value)).blocking();
        #ruled.limits(#plan, ());
    }
}

/// An async function with a policy, which may have to own its arguments.
pub(super) struct Owning<'a> {
    policy: &'a Policy,
    place: &'a Place,
    /// The function, of which the receiver has another name in the body.
    function: Callable,
    /// What is asked about the value, with that name too.
    asks: TokenStream,
    /// What the body may use, or what is asked, argument by argument.
    used: Vec<Used<'a>>,
    /// What no compute in the background can have.
    against: TokenStream,
}

/// An argument of which some names may be used.
struct Used<'a> {
    argument: &'a Argument,
    names: Vec<&'a Ident>,
}

impl<'a> Owning<'a> {
    /// What there is to own; none where no policy can ask for it.
    pub(super) fn of(model: &'a Cached, asks: &TokenStream) -> Option<Self> {
        let policy = model.policy.as_ref().filter(|_| !model.function.sync)?;
        let mut function = model.function.clone();
        if function.boxed {
            function.body = words::without_idle_bindings(&function.body);
        }
        let body = function.body.stream();
        let used = |argument: &'a Argument| {
            let names = argument.names.iter().filter(|name| {
                if argument.is_receiver() {
                    words::mention_self(&body) || words::mention_self(asks)
                } else {
                    words::may_name(&body, name) || words::may_name(asks, name)
                }
            });
            let names = names.collect::<Vec<_>>();
            (!names.is_empty()).then_some(Used { argument, names })
        };
        let used: Vec<_> = policy.arguments.iter().filter_map(used).collect();
        let mut asks = asks.clone();
        let against = against(&function, policy, &model.place);
        if used
            .iter()
            .any(|used| used.argument.is_receiver() && is_lent(used.argument))
        {
            let this = hidden("this");
            function.body = words::with_receiver(&function.body, &this);
            asks = words::with_self(asks, &this);
        }
        for (input, argument) in function.sig.inputs.iter_mut().zip(&policy.arguments) {
            let is_used = used
                .iter()
                .any(|used| std::ptr::eq(used.argument, argument));
            if is_used && is_lent(argument) {
                unmutable(input);
            }
        }
        Some(Self {
            policy,
            place: &model.place,
            function,
            asks,
            used,
            against,
        })
    }

    /// The function to write.
    pub(super) fn function(&self) -> &Callable {
        &self.function
    }

    /// What is asked about the value.
    pub(super) fn asks(&self) -> &TokenStream {
        &self.asks
    }

    /// The statements that make a compute of a body.
    pub(super) fn body(&self, body: &TokenStream) -> TokenStream {
        let asked = self.asked();
        let span = at(asked.keyword);
        let (ruled, plan) = (ruled(self.policy), hidden("plan"));
        let (owned, lent) = (self.owned(), self.lent());
        let block = block(&asked, &quote!(#lent #body), true);
        quote_spanned!(span=> #owned #ruled.body(#plan, #block))
    }

    /// The statements that make a compute of a body, and of what is asked about its output.
    pub(super) fn judged(&self, judged: &Judged<'_>) -> TokenStream {
        let asked = self.asked();
        let span = at(asked.keyword);
        let (ruled, plan) = (ruled(self.policy), hidden("plan"));
        let owned = self.owned();
        let judge = judged.judge(&asked, &self.lent());
        quote_spanned!(span=> #owned #ruled.judged(#plan, #judge))
    }

    /// The function, of which the policy is what asks for `async`: it has to be seen where the
    /// future is not what it asks for.
    fn asked(&self) -> Callable {
        Callable {
            keyword: self.policy.value.span(),
            ..self.function.clone()
        }
    }

    /// The statements that find out what the policy asks for, and own what the body uses.
    fn owned(&self) -> TokenStream {
        let value = &self.policy.value;
        let span = at(value.span());
        let p = private(self.place, span);
        let (ruled, plan) = (ruled(self.policy), hidden("plan"));
        let output = relocated(&self.function.output, span);
        let against = &self.against;
        let arguments = self.used.iter().map(|used| used.owned(&ruled));
        quote_spanned! {span=>
            let #ruled = #p::policy(&(#value));
            #ruled.limits(#plan, #p::Returns::<#output>::NEW.shape());
            #against
            #(#arguments)*
        }
    }

    /// The statements that lend what is owned to the body. They are inside what the policy may
    /// run elsewhere.
    fn lent(&self) -> TokenStream {
        self.used
            .iter()
            .filter(|used| is_lent(used.argument))
            .map(Used::lent)
            .collect()
    }
}

/// The statements that refuse a policy with background work where the function's text shows that it
/// cannot have any; the compiler would say less about it.
fn against(function: &Callable, policy: &Policy, place: &Place) -> TokenStream {
    let ruled = hidden("policy");
    let lends = function.lifetime();
    let lends = lends.map(|borrows| quote_spanned!(at(borrows)=> #ruled.lends();));
    let body = function.body.stream();
    let is_renamed = |argument: &Argument| argument.is_receiver() && is_lent(argument);
    let has_renamed = policy.arguments.iter().any(is_renamed);
    let captured = words::text_with_self(&body).filter(|_| has_renamed);
    let captured = captured.map(|text| quote_spanned!(at(text)=> #ruled.captured();));
    let is_method = function.sig.receiver().is_some();
    let itself = words::call_of_itself(&body, &function.sig.ident, is_method);
    // A box of a trait's says what is in it.
    let itself = itself.filter(|_| !function.boxed).map(|call| {
        let p = private(place, at(call));
        let asked = Ident::new("policy", at(call));
        quote_spanned!(at(call)=> let #ruled = #p::recursive(#asked);)
    });
    quote!(#lends #captured #itself)
}

/// What a policy asks for, where it is written.
fn ruled(policy: &Policy) -> Ident {
    Ident::new("policy", at(policy.value.span()))
}

/// There is a name for what is owned, and one for what the body is lent.
fn is_lent(argument: &Argument) -> bool {
    argument.passed == Passed::Reference
}

impl Used<'_> {
    /// What an argument is called while it is owned.
    fn kept(&self, name: &Ident) -> Ident {
        if self.argument.is_receiver() {
            return hidden("this");
        }
        hidden(&format!("own_{}", name.unraw()))
    }

    /// The statements that hand it to the policy.
    fn owned(&self, ruled: &Ident) -> TokenStream {
        let cfgs = &self.argument.cfgs;
        // The policy is what asks: it is pointed at, too.
        let way = |way| Ident::new(way, ruled.span());
        let each = self.names.iter().map(|name| {
            let located = at(name.span());
            let asked = |way| quote_spanned!(located=> #(#cfgs)* #ruled.#way(&#name););
            match self.argument.passed {
                Passed::Reference => {
                    let (way, kept) = (way("own"), self.kept(name));
                    quote_spanned!(located=> #(#cfgs)* let #kept = #ruled.#way(#name);)
                }
                Passed::Value => asked(way("take")),
                Passed::Borrowing => asked(way("borrowing")),
                Passed::Exclusive => asked(way("exclusive")),
                Passed::Part => asked(way("part")),
            }
        });
        // It is one mistake, however many names see it.
        let most = match self.argument.passed {
            Passed::Borrowing | Passed::Exclusive | Passed::Part => 1,
            Passed::Reference | Passed::Value => self.names.len(),
        };
        each.take(most).collect()
    }

    /// The statements that lend it to the body.
    fn lent(&self) -> TokenStream {
        let Argument { mutable, cfgs, .. } = self.argument;
        let each = self.names.iter().map(|name| {
            let located = at(name.span());
            let kept = self.kept(name);
            if self.argument.is_receiver() {
                return quote_spanned! {located=>
                    #(#cfgs)* let #mutable #kept = #kept.lend();
                    #(#cfgs)* let _ = &#kept;
                };
            }
            // The name has to be the user's, and is that of the argument: that is for no lint of theirs
            // to report. (`expect` would itself be reported wherever they have not turned it on.)
            quote_spanned! {located=>
                #(#cfgs)*
                #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                let #mutable #name = #kept.lend();
                #(#cfgs)* let _ = &#name;
            }
        });
        each.collect()
    }
}

/// What is lent is `mut` where it is lent.
fn unmutable(input: &mut FnArg) {
    match input {
        FnArg::Receiver(receiver) => receiver.mutability = None,
        FnArg::Typed(typed) => {
            if let syn::Pat::Ident(pat) = &mut *typed.pat {
                pat.mutability = None;
            }
        }
    }
}
