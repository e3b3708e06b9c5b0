//! Finds what could be taken away.

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Block, Expr, ReturnType, Signature, Stmt, Type, UnOp};

/// Stands for the switch of a mutation.
const ON: &str = "\u{1}";

/// One mutation: what is written before and after a piece of the source.
pub struct Mutation {
    start: usize,
    end: usize,
    pub line: usize,
    pub last_line: usize,
    /// Something is not assigned: whether that compiles shows elsewhere.
    pub is_assignment: bool,
    before: String,
    after: String,
    pub what: String,
}

/// A piece of text for a place.
pub struct Insertion {
    pub at: usize,
    /// Ends come before beginnings; of ends the shortest first, of beginnings the longest.
    pub order: (u8, isize, u32),
    pub text: String,
}

impl Mutation {
    pub fn insertions(self, number: u32) -> [Insertion; 2] {
        let length = self.end as isize - self.start as isize;
        let text = self.before.replace(ON, &format!("crate::mutant::on({number})"));
        // Of two around the same piece the first is the outer one.
        let ends = u32::MAX - number;
        [
            Insertion { at: self.start, order: (1, -length, number), text },
            Insertion { at: self.end, order: (0, length, ends), text: self.after },
        ]
    }
}

/// All mutations of a file, from its beginning.
pub fn mutations(text: &str) -> Vec<Mutation> {
    let file = syn::parse_file(text).expect("the source can be read");
    let mut finder = Finder { found: Vec::new() };
    finder.visit_file(&file);
    finder.found
}

struct Finder {
    found: Vec<Mutation>,
}

impl Finder {
    fn add(&mut self, node: &impl Spanned, before: &str, after: &str, what: String) {
        let span = node.span();
        let range = span.byte_range();
        self.found.push(Mutation {
            start: range.start,
            end: range.end,
            line: span.start().line,
            last_line: span.end().line,
            is_assignment: false,
            before: before.to_owned(),
            after: after.to_owned(),
            what,
        });
    }

    /// A condition that is not looked at.
    fn condition(&mut self, condition: &Expr, instead: bool) {
        if has_let(condition) {
            return;
        }
        let before = if instead { format!("({ON} || (") } else { format!("(!{ON} && (") };
        self.add(condition, &before, "))", format!("{instead} instead of {}", short(condition)));
    }

    /// What is a condition of its own: not one of `&&` or `||`, whose parts are.
    fn whole_condition(&mut self, condition: &Expr) {
        if !matches!(condition, Expr::Binary(b) if matches!(b.op, BinOp::And(_) | BinOp::Or(_))) {
            self.condition(condition, true);
            self.condition(condition, false);
        }
    }

    fn function(&mut self, signature: &Signature, block: &Block) {
        if signature.constness.is_some() || signature.ident == "fmt" || block.stmts.is_empty() {
            return;
        }
        for value in values(&signature.output) {
            let first = &block.stmts[0];
            let before = format!("if {ON} {{ return {value}; }} ");
            let what = format!("fn {} returns {value}", signature.ident);
            let last = block.stmts.last().expect("it has statements");
            let (start, end) = (first.span().byte_range().start, last.span().byte_range().end);
            let line = first.span().start().line;
            self.found.push(Mutation {
                start,
                end,
                line,
                last_line: line,
                is_assignment: false,
                before,
                after: String::new(),
                what,
            });
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_trait_item_const(&mut self, _: &'ast syn::TraitItemConst) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_variant(&mut self, _: &'ast syn::Variant) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}
    fn visit_expr_repeat(&mut self, repeat: &'ast syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_test(&item.attrs) && item.sig.constness.is_none() {
            self.function(&item.sig, &item.block);
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) && item.sig.constness.is_none() && item.sig.ident != "fmt" {
            self.function(&item.sig, &item.block);
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_stmt(&mut self, statement: &'ast Stmt) {
        if let Stmt::Expr(expression, Some(_)) = statement
            && is_effect(expression)
        {
            let what = format!("without {}", short(expression));
            self.add(statement, &format!("if !{ON} {{ "), " }", what);
            let mutation = self.found.last_mut().expect("it was added");
            mutation.is_assignment = matches!(expression, Expr::Assign(_));
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_expr_if(&mut self, branch: &'ast syn::ExprIf) {
        self.whole_condition(&branch.cond);
        visit::visit_expr_if(self, branch);
    }

    // What is constant is in patterns; what is not, in their guards.
    fn visit_pat(&mut self, pattern: &'ast syn::Pat) {
        if let syn::Pat::Guard(guarded) = pattern {
            self.whole_condition(&guarded.guard);
            self.visit_expr(&guarded.guard);
        }
    }

    fn visit_expr_match(&mut self, expression: &'ast syn::ExprMatch) {
        let last = expression.arms.last().map(|arm| &arm.pat);
        if last.is_some_and(is_catch_all) {
            for arm in &expression.arms[..expression.arms.len() - 1] {
                if !matches!(arm.pat, syn::Pat::Guard(_)) {
                    let what = format!("without the arm {}", short(&arm.pat));
                    self.add(&arm.pat, &format!(" if !{ON}"), "", what);
                    // The switch stands behind the pattern.
                    let mutation = self.found.last_mut().expect("it was added");
                    mutation.start = mutation.end;
                }
            }
        }
        visit::visit_expr_match(self, expression);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        match binary.op {
            BinOp::And(_) => {
                for side in [&binary.left, &binary.right] {
                    if !matches!(**side, Expr::Binary(ref b) if matches!(b.op, BinOp::And(_))) {
                        self.condition(side, true);
                    }
                }
            }
            BinOp::Or(_) => {
                for side in [&binary.left, &binary.right] {
                    if !matches!(**side, Expr::Binary(ref b) if matches!(b.op, BinOp::Or(_))) {
                        self.condition(side, false);
                    }
                }
            }
            _ => {
                if let Some(other) = other(&binary.op)
                    && !is_text(&binary.left)
                    && !is_text(&binary.right)
                {
                    let (left, right) = (tokens(&binary.left), tokens(&binary.right));
                    let before = format!("(if {ON} {{ ({left}) {other} ({right}) }} else {{ ");
                    self.add(binary, &before, " })", format!("{other} in {}", short(binary)));
                }
            }
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        if matches!(unary.op, UnOp::Not(_)) {
            let inner = tokens(&unary.expr);
            let before = format!("(if {ON} {{ ({inner}) }} else {{ ");
            self.add(unary, &before, " })", format!("without the ! of {}", short(unary)));
        }
        visit::visit_expr_unary(self, unary);
    }
}

/// What a function could say always.
fn values(output: &ReturnType) -> Vec<String> {
    let ReturnType::Type(_, kind) = output else {
        return vec!["()".to_owned()];
    };
    let text = tokens(kind).replace(' ', "");
    let values: &[&str] = match text.as_str() {
        "bool" => &["true", "false"],
        "String" => &["String::new()"],
        "Duration" => &["std::time::Duration::ZERO"],
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => &["0", "1"],
        "io::Result<()>" => &["Ok(())"],
        _ if text.starts_with("Option<") => &["None"],
        _ if text.starts_with("Result<(),") => &["Ok(())"],
        _ if text.starts_with("Result<bool,") => &["Ok(true)", "Ok(false)"],
        _ if text.starts_with("Result<Option<") => &["Ok(None)"],
        _ if text.starts_with("Vec<") => &["Vec::new()"],
        _ => &[],
    };
    values.iter().map(|&value| value.to_owned()).collect()
}

/// The neighbour of an operator.
fn other(operator: &BinOp) -> Option<&'static str> {
    Some(match operator {
        BinOp::Eq(_) => "!=",
        BinOp::Ne(_) => "==",
        BinOp::Lt(_) => "<=",
        BinOp::Le(_) => "<",
        BinOp::Gt(_) => ">=",
        BinOp::Ge(_) => ">",
        BinOp::Add(_) => "-",
        BinOp::Sub(_) => "+",
        BinOp::Mul(_) => "+",
        BinOp::Div(_) => "*",
        _ => return None,
    })
}

fn is_effect(expression: &Expr) -> bool {
    match expression {
        Expr::Try(inner) => is_effect(&inner.expr),
        Expr::Await(inner) => is_effect(&inner.base),
        Expr::Binary(binary) => !matches!(binary.op, BinOp::And(_) | BinOp::Or(_)),
        Expr::Call(_) | Expr::MethodCall(_) | Expr::Assign(_) => true,
        _ => false,
    }
}

fn is_catch_all(pattern: &syn::Pat) -> bool {
    match pattern {
        syn::Pat::Wild(_) => true,
        syn::Pat::Ident(ident) => {
            ident.subpat.is_none()
                && ident.ident.to_string().starts_with(|first: char| first.is_lowercase())
        }
        _ => false,
    }
}

fn has_let(expression: &Expr) -> bool {
    struct Search(bool);
    impl Visit<'_> for Search {
        fn visit_expr_let(&mut self, _: &syn::ExprLet) {
            self.0 = true;
        }
        fn visit_expr_block(&mut self, _: &syn::ExprBlock) {}
        fn visit_expr_closure(&mut self, _: &syn::ExprClosure) {}
        fn visit_expr_if(&mut self, _: &syn::ExprIf) {}
    }
    let mut search = Search(false);
    search.visit_expr(expression);
    search.0
}

fn is_text(expression: &Expr) -> bool {
    matches!(expression, Expr::Lit(literal) if matches!(literal.lit, syn::Lit::Str(_)))
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = tokens(attribute).replace(' ', "");
        text.contains("cfg(test)") || text.contains("test]")
    })
}

fn tokens(node: &impl ToTokens) -> String {
    node.to_token_stream().to_string().replace('\n', " ")
}

fn short(node: &impl ToTokens) -> String {
    let text = tokens(node);
    if text.chars().count() <= 70 {
        text
    } else {
        text.chars().take(69).collect::<String>() + "…"
    }
}
