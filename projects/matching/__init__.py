"""Which offers, projects and needs fit each other, how well, and why (docs/decisions/0016).

words     what a text is about, in any language
meaning   what it means (optional)
reading   what is kept of each record's texts, and keeping it fresh
texts     how well two texts fit
facts     what is compared beside the texts
signals   what a match is judged by, with the sentence for each
finding   the best matches
"""

from projects.matching.finding import Match, needs_for, offers_for, pairs, points_in_force, projects_for, weights

__all__ = ["Match", "needs_for", "offers_for", "pairs", "points_in_force", "projects_for", "weights"]
