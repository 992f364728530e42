"""Who may do what to projects, needs, responses and offers, as predicates. Says who, never from which state (lifecycle does).

Asked as `user.has_perm("projects.publish_project", project)`. The full table, by role, is in tests/projects/test_rules.py.
"""

import rules

from partners.rules import holds, is_administrator, is_system, is_unep, memberships
from projects.choices import NeedState, OfferState, ResponseState, Source, State

is_desk = holds("desk", "administrator")
is_publisher = holds("publisher", "administrator")


@rules.predicate
def is_public(user, project=None) -> bool:
    return project is not None and project.state == State.PUBLISHED


@rules.predicate
def takes_part(user, project=None) -> bool:
    """The person belongs to a country or partner that is in the project."""
    held = memberships(user)
    if project is None or not held:
        return False
    countries = {m.country_id for m in held if m.country_id}
    partners = {m.partner_id for m in held if m.partner_id}
    return any(link.country_id in countries for link in project.country_links.all() if link.country_id) or any(
        link.partner_id in partners for link in project.partner_links.all() if link.partner_id
    )


@rules.predicate
def is_own_unpublished(user, project=None) -> bool:
    """Entered by this person and never public."""
    return project is not None and project.created_by_id == user.pk and project.published_at is None


@rules.predicate
def was_merged(user, project=None) -> bool:
    """It goes on as another record; this one stays as it was."""
    return project is not None and project.merged_into_id is not None


# Lists ask without a record: then the question is whether the person may see or do it to any.
@rules.predicate
def no_record(user, project=None) -> bool:
    return project is None


rules.add_perm("projects.view_project", is_public | is_unep | takes_part)
rules.add_perm("projects.add_project", is_unep)
rules.add_perm("projects.change_project", is_unep & ~was_merged)
rules.add_perm("projects.delete_project", is_administrator | (is_desk & is_own_unpublished))
rules.add_perm("projects.submit_project", is_unep)
rules.add_perm("projects.return_project", is_publisher)
rules.add_perm("projects.publish_project", is_publisher)
rules.add_perm("projects.unpublish_project", is_publisher)
rules.add_perm("projects.merge_project", is_unep)
rules.add_perm("projects.view_duplicatepair", is_unep)
rules.add_perm("projects.import_projects", is_unep)


@rules.predicate
def speaks_in(user, project=None) -> bool:
    """Speaks for a country of the project (its focal point) or for a partner in it (its lead)."""
    held = memberships(user)
    if project is None:
        return any(m.role in ("focal_point", "partner_lead") for m in held)
    countries = {link.country_id for link in project.country_links.all()} - {None}
    partners = {link.partner_id for link in project.partner_links.all()} - {None}
    return any(
        (m.role == "focal_point" and m.country_id in countries)
        or (m.role == "partner_lead" and m.partner_id in partners)
        for m in held
    )


rules.add_perm("projects.check_project", speaks_in)
rules.add_perm("projects.view_recordcheck", is_unep)

# What belongs to a project is entered with it.
for part in (
    "projecttranslation", "projectcountry", "projectregion", "projectpartner", "projectterm", "contribution", "budget",
    "transaction", "result", "location", "document", "relatedproject", "update",
):  # fmt: skip
    for action in ("view", "add", "change", "delete"):
        rules.add_perm(f"projects.{action}_{part}", is_unep)

rules.add_perm("projects.view_term", is_unep)
for action in ("add", "change", "delete"):
    rules.add_perm(f"projects.{action}_term", is_administrator)

rules.add_perm("projects.view_importrun", is_unep)
rules.add_perm("projects.view_importissue", is_unep)


@rules.predicate
def brought_it_in(user, run=None) -> bool:
    return run is None or run.started_by_id == user.pk


rules.add_perm("projects.undo_importrun", is_administrator | (is_unep & brought_it_in))
rules.add_perm("projects.view_event", is_unep)


# --- needs -----------------------------------------------------------------------------------------------------------
def country_roles(name: str, *roles: str):
    """Predicate: the person holds one of these roles in the need's country."""

    def predicate(user, need=None) -> bool:
        held = [m for m in memberships(user) if m.role in roles]
        return bool(held) if need is None else any(m.country_id == need.country_id for m in held)

    return rules.predicate(predicate, name=name)


is_of_its_country = country_roles("is_of_its_country", "contributor", "focal_point")
is_its_focal_point = country_roles("is_its_focal_point", "focal_point")


@rules.predicate
def was_opened(user, need=None) -> bool:
    return need is not None and need.published_at is not None


@rules.predicate
def is_with_unep(user, need=None) -> bool:
    """Handed to UNEP, or brought in by UNEP: a country's own drafts are its own."""
    if need is None or need.is_on_behalf or need.source == Source.IMPORTED:
        return True
    return need.state not in (NeedState.DRAFT, NeedState.ARCHIVED)


@rules.predicate
def is_on_behalf(user, need=None) -> bool:
    return need is None or need.is_on_behalf


@rules.predicate
def is_its_author(user, need=None) -> bool:
    return need is not None and need.created_by_id == user.pk


@rules.predicate
def is_its_screener(user, need=None) -> bool:
    return need is not None and need.screened_by_id == user.pk


@rules.predicate
def was_never_submitted(user, need=None) -> bool:
    return need is not None and need.state == NeedState.DRAFT and not need.screened_by_id and not need.published_at


@rules.predicate
def carries_it_out(user, need=None) -> bool:
    """Belongs to a partner or country whose response was accepted."""
    return need is not None and bool(memberships(user)) and need.responses.accepted().of(user).exists()


# Where a country has nobody here, UNEP acts for it; the country's letter is kept with the need.
speaks_for_country = is_its_focal_point | (is_desk & is_on_behalf)

rules.add_perm("projects.view_need", was_opened | is_of_its_country | (is_unep & is_with_unep))
rules.add_perm("projects.add_need", is_of_its_country | (is_desk & is_on_behalf))
rules.add_perm("projects.change_need", is_of_its_country | (is_desk & is_on_behalf))
rules.add_perm("projects.correct_need", is_unep & is_with_unep)
rules.add_perm("projects.delete_need", was_never_submitted & (is_its_author | is_its_focal_point))
rules.add_perm("projects.submit_need", speaks_for_country)
rules.add_perm("projects.approve_summary_need", speaks_for_country)
rules.add_perm("projects.screen_need", is_desk & ~is_its_author)
rules.add_perm("projects.return_need", is_desk & ~is_its_author)
rules.add_perm("projects.find_eligible_need", is_desk & ~is_its_author)
rules.add_perm("projects.find_not_eligible_need", is_desk & ~is_its_author)
rules.add_perm("projects.publish_need", is_publisher & ~is_its_screener)
rules.add_perm("projects.begin_dialogue_need", speaks_for_country)
rules.add_perm("projects.reopen_need", speaks_for_country | is_desk | is_system)
rules.add_perm("projects.confirm_need", speaks_for_country | carries_it_out | is_desk)
rules.add_perm("projects.agree_need", speaks_for_country | carries_it_out | is_desk)
rules.add_perm("projects.revise_need", speaks_for_country | carries_it_out | is_desk)
rules.add_perm("projects.start_need", is_desk | is_publisher)
rules.add_perm("projects.deliver_need", carries_it_out | is_desk)
rules.add_perm("projects.close_need", speaks_for_country)
rules.add_perm("projects.close_partly_need", speaks_for_country)
rules.add_perm("projects.withdraw_need", speaks_for_country)
rules.add_perm("projects.hold_need", is_desk | is_system)
rules.add_perm("projects.resume_need", is_desk | is_system)
rules.add_perm("projects.expire_need", is_system)
rules.add_perm("projects.renew_need", speaks_for_country)
rules.add_perm("projects.merge_need", is_desk)
rules.add_perm("projects.archive_need", is_system)
rules.add_perm("projects.restore_need", is_of_its_country | (is_desk & is_on_behalf))
rules.add_perm("projects.import_needs", is_unep)

# What belongs to a need is entered with it.
for part in (
    "needterm", "lineitem", "criterionanswer", "confirmation", "needdocument", "answer", "planrole", "planactivity",
    "planindicator",
):  # fmt: skip
    rules.add_perm(f"projects.view_{part}", is_unep)
for action in ("add", "change", "delete"):  # in admin, as part of a correction
    rules.add_perm(f"projects.{action}_needterm", is_unep)
    rules.add_perm(f"projects.{action}_lineitem", is_unep)
rules.add_perm("projects.view_notice", is_unep)
rules.add_perm("projects.retry_notice", is_unep)


# --- responses ---------------------------------------------------------------------------------------------------------
@rules.predicate
def is_responder(user, response=None) -> bool:
    """Belongs to the partner or the country in whose name the response is."""
    held = memberships(user)
    if response is None:
        return any(m.role in ("partner_member", "partner_lead", "focal_point") for m in held)
    return any(
        (m.partner_id and m.partner_id == response.partner_id)
        or (m.country_id and m.country_id == response.country_id and m.role == "focal_point")
        for m in held
    )


@rules.predicate
def is_second_provider(user, response=None) -> bool:
    """Belongs to the partner or country that a response names as its second provider."""
    return response is not None and any(
        (m.partner_id and m.partner_id == response.second_partner_id)
        or (m.country_id and m.country_id == response.second_country_id and m.role == "focal_point")
        for m in memberships(user)
    )


@rules.predicate
def answers_for_country(user, response=None) -> bool:
    return response is not None and speaks_for_country.test(user, response.need)


@rules.predicate
def is_for_the_responder(user, response=None) -> bool:
    """A response that was only suggested waits for the one who was asked."""
    return response is not None and response.state == ResponseState.SUGGESTED


@rules.predicate
def reads_response(user, response=None) -> bool:
    """Its two providers, the country that asks, UNEP: the same as `Response.objects.visible_to`."""
    if response is None:
        return bool(memberships(user))
    partners = {response.partner_id, response.second_partner_id} - {None}
    countries = {response.country_id, response.second_country_id, response.need.country_id} - {None}
    return any(m.partner_id in partners or m.country_id in countries for m in memberships(user))


@rules.predicate
def carries_its_need_out(user, response=None) -> bool:
    return response is not None and carries_it_out.test(user, response.need)


@rules.predicate
def provides_in_it(user, response=None) -> bool:
    """Belongs, in whatever role, to one of the two providers of a response."""
    return response is not None and any(
        (m.partner_id and m.partner_id in (response.partner_id, response.second_partner_id))
        or (m.country_id and m.country_id in (response.country_id, response.second_country_id))
        for m in memberships(user)
    )


takes_part_in_it = is_responder | is_second_provider
rules.add_perm("projects.deliver_response", provides_in_it | is_desk)
rules.add_perm("projects.respond_need", is_responder)
rules.add_perm("projects.view_response", is_unep | reads_response)
rules.add_perm("projects.suggest_response", answers_for_country | is_desk)
rules.add_perm("projects.express_response", is_responder)
rules.add_perm("projects.accept_response", answers_for_country)
rules.add_perm(
    "projects.decline_response", (answers_for_country & ~is_for_the_responder) | (is_responder & is_for_the_responder)
)
rules.add_perm(
    "projects.take_back_response",
    (is_responder & ~is_for_the_responder) | ((answers_for_country | is_desk) & is_for_the_responder),
)
rules.add_perm("projects.ask_response", answers_for_country | takes_part_in_it | is_desk)
rules.add_perm("projects.document_response", is_responder)
rules.add_perm("projects.agree_response", is_desk | answers_for_country | carries_its_need_out)
rules.add_perm("projects.reconsider_response", is_desk | answers_for_country | carries_its_need_out)
rules.add_perm("projects.convert_response", is_desk | is_publisher)
rules.add_perm("projects.lapse_response", is_system)


# --- offers ------------------------------------------------------------------------------------------------------------
def provider_roles(name: str, *roles: str):
    """Predicate: the person holds one of these roles in the partner or country that offers."""

    def predicate(user, offer=None) -> bool:
        held = [m for m in memberships(user) if m.role in roles]
        if offer is None:
            return bool(held)
        return any(
            (m.partner_id and m.partner_id == offer.partner_id) or (m.country_id and m.country_id == offer.country_id)
            for m in held
        )

    return rules.predicate(predicate, name=name)


is_of_its_provider = provider_roles(
    "is_of_its_provider", "partner_member", "partner_lead", "contributor", "focal_point"
)
leads_its_provider = provider_roles("leads_its_provider", "partner_lead", "focal_point")


@rules.predicate
def is_shown(user, offer=None) -> bool:
    return offer is not None and offer.is_published


@rules.predicate
def is_handed_to_unep(user, offer=None) -> bool:
    """Handed to UNEP, or brought in by UNEP: a provider's own drafts are its own."""
    return offer is None or offer.is_on_behalf or offer.source == Source.IMPORTED or offer.state != OfferState.DRAFT


@rules.predicate
def was_never_active(user, offer=None) -> bool:
    return offer is not None and offer.state == OfferState.DRAFT and not offer.published_at


speaks_for_provider = leads_its_provider | (is_desk & is_on_behalf)

rules.add_perm("projects.view_offer", is_shown | is_of_its_provider | (is_unep & is_handed_to_unep))
rules.add_perm("projects.add_offer", is_of_its_provider | (is_desk & is_on_behalf))
rules.add_perm("projects.change_offer", is_of_its_provider | (is_desk & is_on_behalf))
rules.add_perm("projects.correct_offer", is_unep & is_handed_to_unep)
rules.add_perm("projects.delete_offer", was_never_active & (is_its_author | leads_its_provider))
rules.add_perm("projects.submit_offer", speaks_for_provider)
rules.add_perm("projects.return_offer", is_desk & ~is_its_author)
rules.add_perm("projects.verify_offer", is_desk & ~is_its_author)
rules.add_perm("projects.activate_offer", speaks_for_provider)
rules.add_perm("projects.pause_offer", speaks_for_provider | is_desk)
rules.add_perm("projects.resume_offer", speaks_for_provider)
rules.add_perm("projects.expire_offer", is_system)
rules.add_perm("projects.renew_offer", speaks_for_provider)
rules.add_perm("projects.revise_offer", speaks_for_provider)
rules.add_perm("projects.withdraw_offer", speaks_for_provider)
for part in ("offerterm", "offerline", "eligible"):
    for action in ("view", "add", "change", "delete"):  # in admin, on a provider's behalf or as part of a correction
        rules.add_perm(f"projects.{action}_{part}", is_unep)


# --- matching --------------------------------------------------------------------------------------------------------
for kept in ("concept", "wording", "nearterm", "matchweights"):
    rules.add_perm(f"projects.view_{kept}", is_unep)
for edited in ("concept", "wording", "nearterm"):
    for action in ("add", "change", "delete"):
        rules.add_perm(f"projects.{action}_{edited}", is_unep)
rules.add_perm("projects.add_matchweights", is_desk)  # a new version; those before stay as they were


@rules.predicate
def is_of_either_side(user, aside=None) -> bool:
    """The person belongs to the side in whose name a match is set aside, which is one of its two."""
    held = memberships(user)
    if aside is None:
        return bool(held)
    own = [m for m in held if (m.partner_id or m.country_id) and (m.partner_id, m.country_id) == (aside.partner_id, aside.country_id)]  # fmt: skip
    provider = (aside.offer.partner_id, aside.offer.country_id)
    return bool(own) and (aside.partner_id, aside.country_id) in (provider, (None, aside.need.country_id))


rules.add_perm("projects.view_setaside", is_of_either_side | is_unep)
rules.add_perm("projects.add_setaside", is_of_either_side)
rules.add_perm("projects.delete_setaside", is_of_either_side)


# --- webhooks ----------------------------------------------------------------------------------------------------------
@rules.predicate
def is_its_owner(user, webhook=None) -> bool:
    return user.is_authenticated and (webhook is None or webhook.user_id == user.pk)


rules.add_perm("projects.add_webhook", is_its_owner)
rules.add_perm("projects.change_webhook", is_its_owner)
rules.add_perm("projects.view_webhook", (is_its_owner & ~no_record) | is_administrator)
rules.add_perm("projects.delete_webhook", (is_its_owner & ~no_record) | is_administrator)
rules.add_perm("projects.view_webhookcall", is_administrator)
rules.add_perm("projects.delete_webhookcall", is_administrator)
