"""Drafts as their pages send them."""

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF"


def post(client, need, part, **data):
    page = client.get(f"/needs/{need.reference}/draft/{part}/")
    return client.post(f"/needs/{need.reference}/draft/{part}/", {"seen": page.context["seen"], **data})
