from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0016_agreed_in_plans_confirmed_before")]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="quiet_until",
            field=models.DateTimeField(editable=False, null=True, verbose_name="asked for no calls until"),
        ),
    ]
