"""What nobody has reported as delivered is empty, not zero; nor is a quantity of 1 taken where nobody gave one."""

import django.core.validators
import django.db.models.functions.comparison
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('projects', '0013_quantity_agreed_in_the_plan'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='answer',
            name='answer_delivered_in_range',
        ),
        migrations.AlterField(
            model_name='answer',
            name='delivered',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='delivered'),
        ),
        migrations.AlterField(
            model_name='answer',
            name='quantity',
            field=models.DecimalField(decimal_places=2, max_digits=12, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))], verbose_name='how much'),
        ),
        migrations.AlterField(
            model_name='answerevent',
            name='delivered',
            field=models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='delivered'),
        ),
        migrations.AlterField(
            model_name='answerevent',
            name='quantity',
            field=models.DecimalField(decimal_places=2, max_digits=12, validators=[django.core.validators.MinValueValidator(Decimal('0.01'))], verbose_name='how much'),
        ),
        migrations.AddConstraint(
            model_name='answer',
            constraint=models.CheckConstraint(condition=models.Q(('delivered__isnull', True), models.Q(('delivered__gte', 0), ('delivered__lte', django.db.models.functions.comparison.Greatest(models.F('quantity'), models.F('agreed')))), _connector='OR'), name='answer_delivered_in_range', violation_error_message='More is delivered than was offered.'),
        ),
    ]
