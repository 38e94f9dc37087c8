//! The table of the filters of a query: one row for each.

/// Makes a query from rows. A row is
///
/// ```text
/// /// The docs of the builder method.
/// field: Shape<Of>, "its name in errors" fed as "its name in fingerprints", "its words",
///     index Dimension, build method(how), from values;
/// ```
///
/// - `fed as`: only if the name in the fingerprint differs from the one in errors. Rows are checked, fed and described in
///   their order; an absent filter feeds nothing, so a new row keeps older fingerprints.
/// - `index`: if the terms of one dimension answer the filter; other index conditions are in `conditions.rs`.
/// - `build`: how the method takes its values: `names`, `texts`, `choices`, `ends`, `pair` or `flag`. Without it, the method
///   is written by hand after the table.
/// - `from`: the values of the row's subject, as the shape's `is_met_by` takes them.
///
/// `and` lists the fields that are no filters. Reading a query with an unknown name is an error: a misspelled filter
/// would silently match everything.
macro_rules! filters {
    (
        $Filters:ident of $Query:ident;
        $(rows of $subject:ident: $Subject:ty { $(
            $(#[$docs:meta])*
            $field:ident: $Shape:ident $(<$Of:ident>)?, $name:literal $(fed as $fed:literal)?, $asked:literal
                $(, index $Dimension:ident)? $(, build $method:ident($how:ident))?, from $values:expr;
        )* })*
        and { $($(#[$about:meta])* $other:ident: $Other:ty,)* }
    ) => {
        /// The filters of a query, which is also its saved form. An absent filter matches everything.
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]
        #[serde(default, deny_unknown_fields)]
        pub(crate) struct $Filters {
            $($(
                #[serde(skip_serializing_if = "Option::is_none")]
                pub(super) $field: Option<$Shape $(<$Of>)?>,
            )*)*
            $($(#[$about])* pub(super) $other: $Other,)*
        }

        /// The names of the filters, for the conditions that an index answers.
        #[allow(non_upper_case_globals, reason = "each is called like its field")]
        #[allow(dead_code, reason = "not every filter has an index")]
        impl $Filters {
            $($(
                pub(super) const $field: crate::index::Filter =
                    crate::index::Filter::named(concat!(stringify!($Filters), "::", stringify!($field)));
            )*)*
        }

        impl $Filters {
            /// The checks of the builder methods, for filters that were read instead of built.
            pub(super) fn check(&self) -> Result<(), crate::error::InvalidValue> {
                $($(self.$field.as_ref().map_or(Ok(()), |filter| filter.check($name))?;)*)*
                Ok(())
            }

            pub(super) fn feed_rows(&self, digest: &mut crate::query::filter::QueryDigest) {
                $($(if let Some(filter) = &self.$field {
                    filter.feed(filters!(@first $($fed)? $name), digest);
                })*)*
            }

            /// The conditions that an index of one dimension answers.
            pub(super) fn row_conditions(&self, chosen: &crate::index::ChosenIndexes) -> Vec<crate::index::Condition> {
                let mut conditions = Vec::new();
                $($($(
                    let dimension = crate::index::Dimension::$Dimension;
                    if let Some(filter) = self.$field.as_ref().filter(|_| chosen.has(dimension)) {
                        conditions.extend(filter.conditions(dimension, &Self::$field, chosen));
                    }
                )?)*)*
                conditions
            }

            /// Removes what an index has answered.
            pub(super) fn remove(&mut self, answered: &crate::index::Filter) {
                $($(if answered.is_of(&Self::$field) {
                    self.$field = self.$field.take().and_then(|filter| filter.without(answered.answered_part()));
                })*)*
            }
        }

        $(impl crate::query::filter::FilterRows<$Subject> for $Filters {
            fn ask(&self) -> bool {
                $(self.$field.is_some())||*
            }

            fn are_met_by(&self, $subject: &$Subject, ids: crate::request::IdComparison) -> bool {
                $(self.$field.as_ref().is_none_or(|filter| filter.is_met_by($values, ids)))&&*
            }

            fn clauses(&self) -> Vec<String> {
                let clauses = [$(self.$field.as_ref().map(|filter| filter.clause($asked))),*];
                clauses.into_iter().flatten().collect()
            }
        })*

        impl $Query {
            $($(filters! { @build [$($method $how)?] [$(#[$docs])*] $field, $name, $Shape $($Of)? })*)*
        }

        impl From<$Query> for $Filters {
            fn from(query: $Query) -> Self {
                query.0
            }
        }
    };

    (@build [] [$($docs:tt)*] $($row:tt)*) => {};

    (@first $first:literal $($rest:literal)?) => { $first };

    (@build [$method:ident names] [$($docs:tt)*] $field:ident, $name:literal, $Shape:ident $Of:ident) => {
        $($docs)*
        ///
        /// # Errors
        #[doc = concat!("[`InvalidValue`](crate::InvalidValue) if the list is empty or has more than \
            [`MAX_CHOICES`](crate::MAX_CHOICES), or one of them is not a valid [`", stringify!($Of), "`].")]
        pub fn $method(
            mut self,
            any_of: impl IntoIterator<Item = impl Into<String>>,
        ) -> Result<Self, crate::error::InvalidValue> {
            self.0.$field = Some($Shape::names($name, $Of::new, any_of)?);
            Ok(self)
        }
    };

    (@build [$method:ident texts] [$($docs:tt)*] $field:ident, $name:literal, $Shape:ident) => {
        $($docs)*
        ///
        /// # Errors
        /// [`InvalidValue`](crate::InvalidValue) if the list is empty or has more than
        /// [`MAX_CHOICES`](crate::MAX_CHOICES), or one of them is blank.
        pub fn $method(
            mut self,
            any_of: impl IntoIterator<Item = impl Into<String>>,
        ) -> Result<Self, crate::error::InvalidValue> {
            self.0.$field = Some($Shape::texts($name, any_of)?);
            Ok(self)
        }
    };

    (@build [$method:ident choices] [$($docs:tt)*] $field:ident, $name:literal, $Shape:ident $Of:ident) => {
        $($docs)*
        ///
        /// # Errors
        /// [`InvalidValue`](crate::InvalidValue) if the list is empty.
        pub fn $method(
            mut self,
            any_of: impl IntoIterator<Item = $Of>,
        ) -> Result<Self, crate::error::InvalidValue> {
            self.0.$field = Some($Shape::choices($name, any_of)?);
            Ok(self)
        }
    };

    (@build [$method:ident ends] [$($docs:tt)*] $field:ident, $name:literal, $Shape:ident $Of:ident) => {
        $($docs)*
        ///
        /// # Errors
        /// [`InvalidValue`](crate::InvalidValue) if neither end is given, or `from` is greater than `to`.
        pub fn $method(
            mut self,
            from: impl Into<Option<$Of>>,
            to: impl Into<Option<$Of>>,
        ) -> Result<Self, crate::error::InvalidValue> {
            self.0.$field = Some($Shape::new($name, from.into(), to.into())?);
            Ok(self)
        }
    };

    (@build [$method:ident pair] [$($docs:tt)*] $field:ident, $name:literal, $Shape:ident) => {
        $($docs)*
        ///
        /// # Errors
        /// [`InvalidValue`](crate::InvalidValue) if the value nests too deeply for metadata.
        pub fn $method(
            mut self,
            key: impl Into<String>,
            value: impl Into<crate::request::Value>,
        ) -> Result<Self, crate::error::InvalidValue> {
            self.0.$field.get_or_insert_default().insert(key, value)?;
            Ok(self)
        }
    };

    (@build [$method:ident flag] [$($docs:tt)*] $field:ident, $name:literal, $Shape:ident) => {
        $($docs)*
        pub fn $method(mut self, asked: bool) -> Self {
            self.0.$field = Some($Shape(asked));
            self
        }
    };
}

/// Shared by queries for parts of requests: the filters of their requests, whose order is ignored.
macro_rules! of_requests {
    ($Filters:ident of $Query:ident) => {
        impl $Query {
            /// Only of requests that also match this query; its order is ignored.
            pub fn of_requests(mut self, request: RequestQuery) -> Self {
                self.0.request = request.without_order();
                self
            }

            /// Only of requests that this viewer may read: as [`RequestQuery::visible_to`](crate::RequestQuery::visible_to).
            pub fn visible_to(mut self, viewer: crate::query::Viewer) -> Self {
                self.0.request = self.0.request.visible_to(viewer);
                self
            }
        }

        impl TryFrom<crate::json::Strict<$Filters>> for $Query {
            type Error = crate::error::InvalidValue;
            fn try_from(
                crate::json::Strict(mut filters): crate::json::Strict<$Filters>,
            ) -> Result<Self, crate::error::InvalidValue> {
                filters.check()?;
                filters.request = filters.request.without_order();
                Ok(Self(filters))
            }
        }
    };
}

pub(crate) use {filters, of_requests};
