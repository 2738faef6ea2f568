"""The demo clinic: a doctor, six patients and some days of conversation, made through the services."""

DOCTOR_EMAIL = "doctor@example.com"
PATIENT_EMAIL = "patient@example.com"
PASSWORD = "carechat-demo"


async def load(backend): ...
