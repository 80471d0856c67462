use aws_sdk_acm::types::CertificateOptions;
use aws_sdk_route53::types::{ChangeAction, RrType, Tag, TagResourceType};

use super::bed::{bed, change, code};
use crate::sandbox::aws::route53::names::normalize;
use crate::sandbox::aws::wire::{page_start, parse_form};
use crate::sandbox::aws::xml::Element;

#[test]
fn names_that_are_no_names_are_told_apart() {
    for (given, normal) in [("WWW.Example.com", "www.example.com."), ("*.a.b.", "\\052.a.b."), ("\\052.a.b", "\\052.a.b."), ("a_b", "a_b.")]
    {
        assert_eq!(normalize(given).as_deref(), Some(normal), "{given}");
    }
    let long = "a".repeat(64);
    for given in ["", ".", "..", "a..b", ".a", "\\9", "\\05", "\\777", "ä.b", "a b", &long, &"abc.".repeat(80)] {
        assert_eq!(normalize(given), None, "{given}");
    }
}

#[test]
fn xml_that_is_none_is_an_error_and_never_a_panic() {
    let nested = "<a>".repeat(1_000);
    let cases =
        ["", "<", "<a", "<a>", "<a></b>", "<a/><b/>", "text", "<a>&unknown;</a>", "<a>&#x110000;</a>", "</a>", &nested, "<!DOCTYPE a>"];
    for text in cases {
        assert!(Element::parse(text.as_bytes()).is_err(), "{text}");
    }
    assert!(Element::parse(&[0xff, 0xfe]).is_err());
    let read = Element::parse(b"<?xml version=\"1.0\"?><a x='y'><b>1 &lt; 2 &#65;<![CDATA[<c>]]></b><d/></a>").unwrap();
    assert_eq!((read.value("b"), read.value("d"), read.children.len()), (Some("1 < 2 A<c>"), Some(""), 2));
}

#[test]
fn forms_and_page_tokens_of_any_text_are_read() {
    let form = parse_form("a=1%2F2+3&b=%zz&c&=d&e=%C3%A4&f=%");
    let expected = [("", "d"), ("a", "1/2 3"), ("b", "%zz"), ("c", ""), ("e", "ä"), ("f", "%")];
    assert!(form.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected));
    assert_eq!(page_start("no base64!"), None);
}

#[tokio::test(start_paused = true)]
async fn wildcards_follow_issuewild_and_a_cname_leads_to_its_targets_caa() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let other = bed.zone("example.org").await;
    let caa = |name: &str, values: &[&str]| change(ChangeAction::Upsert, name, RrType::Caa, 300, values);
    bed.change(&zone, vec![caa("w.example.com", &["0 issue \"amazon.com\"", "0 issuewild \";\""])]).await.unwrap();
    bed.issued("w.example.com", &[]).await;
    let wild = bed.request("*.w.example.com", &[]).await;
    bed.validate(&wild, &zone).await;
    bed.advance("5m");
    assert_eq!(bed.describe(&wild).await.status.unwrap().as_str(), "FAILED");
    bed.change(&other, vec![caa("target.example.org", &["0 issue \"letsencrypt.org\""])]).await.unwrap();
    bed.change(&zone, vec![change(ChangeAction::Create, "c.example.com", RrType::Cname, 60, &["target.example.org"])]).await.unwrap();
    let led = bed.request("c.example.com", &[]).await;
    bed.validate(&led, &zone).await;
    bed.advance("5m");
    assert_eq!(bed.describe(&led).await.failure_reason.unwrap().as_str(), "CAA_ERROR");
}

#[tokio::test(start_paused = true)]
async fn export_can_not_be_changed_after_creation() {
    let bed = bed();
    let arn = bed.issued("shop.example.com", &[]).await;
    let update = |options| bed.acm().update_certificate_options().certificate_arn(&arn).options(options).send();
    update(CertificateOptions::builder().build()).await.unwrap();
    let export = CertificateOptions::builder().export(aws_sdk_acm::types::CertificateExport::Disabled).build();
    assert_eq!(code(&update(export).await.unwrap_err()), "ValidationException");
}

#[tokio::test(start_paused = true)]
async fn zones_have_tags() {
    let bed = bed();
    let zone = bed.zone("example.com").await;
    let tag = Tag::builder().key("stack").value("demo").build();
    let change = bed.route53().change_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(&zone);
    change.add_tags(tag.clone()).send().await.unwrap();
    let one = bed.route53().list_tags_for_resource().resource_type(TagResourceType::Hostedzone).resource_id(&zone).send().await.unwrap();
    assert_eq!(one.resource_tag_set().unwrap().tags(), std::slice::from_ref(&tag));
    let all = bed.route53().list_tags_for_resources().resource_type(TagResourceType::Hostedzone).resource_ids(&zone).send().await.unwrap();
    assert_eq!(all.resource_tag_sets()[0].tags(), [tag]);
}
