"""What old versions of IATI call by words: kinds of dates, statuses, roles, kinds of transactions, each with its code."""

DATE_TYPES = {
    "1": "planned_start", "2": "actual_start", "3": "planned_end", "4": "actual_end",
    "start-planned": "planned_start", "start-actual": "actual_start", "end-planned": "planned_end", "end-actual": "actual_end",
    "start": "planned_start", "end": "planned_end",
}  # fmt: skip
STATUS_WORDS = {
    "pipeline/identification": "1", "pipeline": "1", "implementation": "2", "ongoing": "2", "active": "2", "finalisation": "3",
    "completion": "3", "operationally closed": "3", "closed": "4", "post-completion": "4", "completed": "4",
    "cancelled": "5", "canceled": "5", "suspended": "6",
}  # fmt: skip
ROLE_WORDS = {
    "funding": "1", "donor": "1", "accountable": "2", "extending": "3", "implementing": "4",
}  # fmt: skip
TRANSACTION_WORDS = {
    "if": "1", "c": "2", "d": "3", "e": "4", "ir": "5", "lr": "6", "r": "7", "qp": "8", "qs": "9", "cg": "10",
    "incoming funds": "1", "commitment": "2", "disbursement": "3", "disbursment": "3", "expenditure": "4",
    "interest repayment": "5", "loan repayment": "6", "reimbursement": "7",
}  # fmt: skip
# Also as a text beside the code.
WORDS = STATUS_WORDS | TRANSACTION_WORDS
