from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0013_quantity_agreed_in_the_plan")]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="quiet_until",
            field=models.DateTimeField(editable=False, null=True, verbose_name="asked for no calls until"),
        ),
    ]
