# frozen_string_literal: true

class FakeScalingo
  # The store that serves the pre-signed download, as a {Delivery} says: whole or in parts, cut, held, expired or moved.
  module Store
    # How the store serves the archive. Every one of them may be changed at any time.
    #
    # range::                 honour Range requests (else: 200 and the whole of it)
    # drops::                 byte counts; each download cuts the connection after the first of them, and takes it off
    # expire_after_bytes::    a URL is refused once this many bytes were sent under it (and the connection cut there)
    # expire_after_requests:: a URL is refused after this many requests
    # hold_at::               stop sending at this byte until #release
    # piece::                 bytes sent at once
    # pause::                 seconds between pieces
    # redirect::              the pre-signed URL answers 302 to the other one that serves
    Delivery = Struct.new(:range, :drops, :expire_after_bytes, :expire_after_requests, :hold_at, :piece, :pause,
                          :redirect, keyword_init: true)

    private

    def deliver(request, response)
      entry = note(:download, request)
      scripted = next_answer(:download)
      return scripted_answer(scripted, response, entry) if scripted

      link = request.query["token"]
      return respond(response, entry, 403, "<Error><Code>AccessDenied</Code></Error>") unless usable?(link)
      return redirect(request, response, entry) if delivery.redirect && !request.path.start_with?("/moved")

      send_archive(response, entry, link)
    end

    def usable?(link)
      @lock.synchronize do
        state = @links[link] or return false
        expired = (delivery.expire_after_requests && state[:requests] >= delivery.expire_after_requests) ||
                  (delivery.expire_after_bytes && state[:bytes] >= delivery.expire_after_bytes)
        state[:requests] += 1 unless delivery.redirect
        !expired
      end
    end

    def redirect(request, response, entry)
      response["Location"] = "#{@store_url}/moved#{request.unparsed_uri}"
      respond(response, entry, 302, "")
    end

    def send_archive(response, entry, link)
      size = File.size(archive)
      from = (delivery.range && entry.range) ? entry.range : 0
      return respond(response, entry, 416, "") if from >= size && from.positive?

      entry.status = response.status = (delivery.range && entry.range) ? 206 : 200
      response["Content-Range"] = "bytes #{from}-#{size - 1}/#{size}" if response.status == 206
      response["Accept-Ranges"] = "bytes" if delivery.range
      response["Content-Type"] = "application/gzip"
      response["Content-Length"] = (size - from).to_s
      # A cut connection must not be used for the next request.
      response.keep_alive = false
      response.body = ->(socket) { stream(socket, from, entry, link) }
    end

    # Writes the archive from byte `from`, as the delivery says.
    def stream(socket, from, entry, link)
      drop_after = @lock.synchronize { delivery.drops.shift }
      File.open(archive, "rb") do |file|
        file.seek(from)
        while (piece = file.read(next_piece(file.pos, entry, drop_after, link)))
          break if piece.empty?

          socket.write(piece)
          @lock.synchronize do
            entry.bytes += piece.bytesize
            @links[link][:bytes] += piece.bytesize
          end
          sleep(delivery.pause) if delivery.pause.positive?
        end
        socket.close unless file.eof?
      end
    rescue SystemCallError, IOError
      # The client has gone.
      nil
    end

    # How many bytes may be sent next; 0 ends the connection. Waits where the delivery is held.
    def next_piece(position, entry, drop_after, link)
      @lock.synchronize do
        hold_at = delivery.hold_at
        if hold_at && position >= hold_at
          @holding += 1
          @held.broadcast
          @released.wait(@lock) while delivery.hold_at
          @holding -= 1
          hold_at = nil
        end
        left = [delivery.piece]
        left << (hold_at - position) if hold_at
        left << (drop_after - entry.bytes) if drop_after
        left << (delivery.expire_after_bytes - @links[link][:bytes]) if delivery.expire_after_bytes
        left.min.clamp(0..)
      end
    end
  end
end
