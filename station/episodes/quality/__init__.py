"""What native stamps and pictures say of an episode: findings with their evidence, and never a verdict."""
