"""From recorded episodes to a policy folder, on a computer without a GPU. No part of the run path; torch only in `learner`."""
