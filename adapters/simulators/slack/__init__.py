"""A Slack on loopback for the real slack-bolt and slack-sdk; strict about limits and required fields.

::

    town = SlackTown(clock)                      # things.py, town.py: who and what is there
    ann, gpu = town.person("ann"), town.channel("gpu", members=["ann"])
    async with FakeSlack(town) as slack:         # fake.py
        client = AsyncWebClient(token=town.bot_token, base_url=slack.api_url)
        handler = AsyncSocketModeHandler(AsyncApp(client=client), town.app_token, ping_interval=1)
        await handler.connect_async()
        await slack.sockets.connected()          # sockets.py: refresh, cut, go_deaf, refuse_tickets
        told = await slack.stage.say_command(ann, gpu, "status")     # stage.py, acts.py: what people do
        assert told.acked and told.took < 0.1    # delivery.py: what came back
        slack.faults.rate_limit("chat.update", 7)                    # faults.py
        await slack.until(lambda: gpu.messages)  # wakes after every call, no polling
        slack.page(gpu)                          # page*.py: how a person sees it

HTTP mode: ``slack.webhook(url, signing_secret)`` before the first act; everything else is the same (webhook.py).
"""
