//! Where the AWS emulator differs from AWS. It is no authority on order, exactness or atomicity: there the documentation is.

/// A contract that the emulator breaks.
pub(super) struct Deviation {
    /// The contract.
    pub(super) contract: &'static str,
    /// What the emulator does instead.
    pub(super) why: &'static str,
    /// A piece of what the contract says when it breaks there: should it break otherwise, that is news.
    pub(super) seen: &'static str,
}

const fn deviation(contract: &'static str, why: &'static str, seen: &'static str) -> Deviation {
    Deviation { contract, why, seen }
}

/// The deviations of moto 5.2. The API server has none.
pub(super) const DEVIATIONS: &[Deviation] = &[
    deviation(
        "acm::a_certificate_is_not_issued_before_its_records_are_there",
        "it issues by time, and does not look at Route 53",
        "Some(Issued)",
    ),
    deviation("acm::a_key_on_an_elliptic_curve_is_what_it_was_asked_for", "every key is RSA 2048", "the key algorithm"),
    deviation("acm::a_list_comes_in_pages", "its list has one page, whatever is asked for", "a page is longer than asked for"),
    deviation("acm::a_list_without_key_types_hides_elliptic_curves", "every key is RSA 2048", "the list shows it"),
    deviation("acm::a_pending_certificate_has_no_leaf", "the leaf is there from the first moment", "it was not refused"),
    deviation("acm::a_token_has_at_most_32_characters", "it takes any token", "it was not refused"),
    deviation("acm::a_token_has_no_hyphens", "it takes any token", "it was not refused"),
    deviation("acm::an_export_of_a_pending_certificate_is_refused", "the key is there from the first moment", "it was not refused"),
    deviation("acm::each_domain_has_a_value_of_its_own", "all domains have one value", "the values of the records"),
    deviation("acm::names_come_back_in_lower_case", "names stay as they were written", "Some(\"Shop."),
    deviation("acm::an_import_anew_keeps_the_tags", "they are gone", "the tags"),
    deviation("acm::an_import_anew_of_another_kind_of_key_is_refused", "it takes any key", "it was not refused"),
    deviation("acm::an_import_anew_takes_no_tags", "it takes them", "it was not refused"),
    deviation("acm::an_import_is_given_back_as_it_came", "a root of Amazon's follows every chain", "the chain"),
    deviation("acm::an_import_with_the_key_of_another_is_refused", "it doesn't compare them", "it was not refused"),
    deviation(
        "acm::the_chain_of_an_export_signs_its_leaf",
        "the leaf signs itself, the chain is Amazon's",
        "is not signed by the next one",
    ),
    deviation("acm::the_list_tells_the_names", "its list has no names", "the names in the list"),
    deviation("acm::the_token_of_a_deleted_certificate_is_answered_with_an_arn", "it fails at it", "StatusCode(500)"),
    deviation("route53::a_batch_with_a_refused_change_does_nothing", "a CREATE of what exists is taken among others", "it was not refused"),
    deviation("route53::a_delete_must_be_exact", "another code, and earlier values count as well", "it was refused as something else"),
    deviation("route53::a_delete_of_what_is_absent_is_refused_by_name", "another code", "it was refused as something else"),
    deviation("route53::an_unknown_change_is_told_as_such", "every id is a change in sync", "it was not refused"),
    deviation(
        "route53::each_refused_change_of_a_batch_is_named",
        "a CREATE of what exists is taken among others",
        "the batch was not refused",
    ),
    deviation("route53::names_are_shown_escaped_in_lower_case_and_with_a_dot", "names stay as they were written", "the names"),
    deviation("route53::one_record_twice_in_a_batch_is_refused", "it takes both", "it was not refused"),
    deviation(
        "route53::the_list_of_zones_comes_in_pages",
        "its list has one page, whatever is asked for",
        "a page is longer than asked for",
    ),
    deviation("route53::the_list_of_zones_starts_at_a_name", "the name is a filter there", "left: [\"a."),
    deviation("secretsmanager::a_description_can_be_emptied", "an empty description changes nothing", "the description"),
    deviation("secretsmanager::a_policy_for_everyone_is_refused", "it takes any policy", "it was not refused"),
    deviation("secretsmanager::a_policy_without_statements_is_refused", "it takes any policy", "it was not refused"),
    deviation("secretsmanager::a_secret_to_be_deleted_takes_no_value", "it takes one", "it was not refused"),
    deviation(
        "secretsmanager::the_name_of_a_secret_to_be_deleted_is_taken_until_it_is_restored",
        "another code",
        "ResourceExistsException",
    ),
    deviation("secretsmanager::the_value_is_that_of_the_version_with_the_label", "the value stays that of the last put", "the value"),
    deviation("sts_eks::a_cluster_can_be_reached_from_outside_unless_said_otherwise", "the default is private", "the endpoint is private"),
    deviation("sts_eks::the_authority_of_a_cluster_is_a_certificate", "the authority is a fixed text", "the authority is no PEM"),
];
