"""SQL function `fold`: how the portal compares words, whatever their case and accents.

Latin letters lose their accents (Côte = Cote), Arabic its vowel signs, ё becomes е. Other marks stay: й is a letter of
its own. Chinese characters are set apart, so that each is a word and a phrase search finds them in order.
"""

from django.db import migrations

FOLD = r"""
CREATE FUNCTION fold(value text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT regexp_replace(
    translate(
      normalize(
        regexp_replace(
          regexp_replace(normalize(lower(value), NFKD), '([a-z])[\u0300-\u036f]+', '\1', 'g'),
          '[\u064b-\u065f\u0670]', '', 'g'),
        NFC),
      'øłđħıœæßþð’ʼё', 'oldhioasdd''''е'),
    '([\u3400-\u9fff])', ' \1 ', 'g')
$$
"""


class Migration(migrations.Migration):
    dependencies = [("partners", "0001_tables")]
    operations = [migrations.RunSQL(FOLD, "DROP FUNCTION fold(text)")]
