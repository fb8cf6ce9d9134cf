"""Who: accounts, the posts they hold and what a post may see."""
