"""What an admin asks first when something does not work: is everything set up, reachable, and in step?"""
