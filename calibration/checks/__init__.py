"""The check before a session: survey, what is made of arms, cameras and computer, verdict, report."""
