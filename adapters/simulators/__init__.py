"""The simulated world: machines, a meter, chats and ways in that follow a passed clock."""
