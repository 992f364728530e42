"""What other sites show of a page here: its card, as a picture (Open Graph), in a frame, and by oEmbed."""

from outreach.sharing.cards import PAGES, Card, card_of, of_page
from outreach.sharing.png import draw

__all__ = ["PAGES", "Card", "card_of", "draw", "of_page"]
