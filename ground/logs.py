"""What stands in the log."""

import logging


class WithoutLetters(logging.Filter):
    """Takes the words of mail out of what the queue says of its jobs: letters hold names, and links that open an account."""

    def filter(self, record: logging.LogRecord) -> bool:
        job = getattr(record, "job", None)
        if isinstance(job, dict) and job.get("task_name") == "partners.send_mail":
            record.msg = record.getMessage().replace(job["call_string"], f"{job['task_name']}[{job['id']}]")
            record.args = ()
        return True
